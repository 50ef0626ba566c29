/*---
id: list_help_in
like: list_check_out
title: {zh: 可能需要帮助家庭清单, en: Families that may need help}
purpose: Which families may be in trouble or miss a benefit that is due, most urgent first.
list_kind: help_in
folder: township/{jurisdiction}/help_in
file: 可能需要帮助_{place}_{as_of}.xlsx
note_zh: 本清单仅为线索，不是认定结论：不得据此停发、减发任何救助金；是否给予救助，须入户核查后按规定程序办理。
---*/
