/*---
id: list_help_in_members
like: list_check_out_members
list_kind: help_in
part_of: list_help_in
---*/
