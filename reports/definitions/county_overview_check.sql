/*---
id: county_overview_check
like: county_overview
title: {zh: 县级总览：请核查, en: "County overview, please check"}
list_kind: check_out
layout: table
folder: null
file: null
part_of: county_overview
place: 1
sheet: 请核查
---*/
