/*---
id: list_help_in_items
like: list_check_out_items
list_kind: help_in
part_of: list_help_in
---*/
