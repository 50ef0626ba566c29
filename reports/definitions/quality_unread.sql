/*---
id: quality_unread
version: 1
title: {zh: 未读取的文件, en: Files nobody read}
purpose: Files in the inbox that no contract claims, and manifests that cannot be read, each with what to do.
audience: audit
part_of: quality_files
place: 2
sheet: 未读取的文件
order: [department_no, department, file]
columns:
  - {name: department_zh, zh: 部门, width: 16}
  - {name: file, zh: 文件, width: 30}
  - {name: message_zh, zh: 问题, width: 34, kind: wrap}
  - {name: action_zh, zh: 处理建议, width: 50, kind: wrap}
carries: [department_no, department]
empty_zh: 收件夹中的文件都已读取。
note_zh: 这些文件不在文件台账中，其中的数据没有进入比对。
---*/
select department_zh,
       file,
       message_zh,
       action_zh,
       department_no,
       department
from unread
