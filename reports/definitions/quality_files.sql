/*---
id: quality_files
version: 1
title: {zh: 文件台账, en: Files}
purpose: Every file of the night with its rows, closed to zero.
audience: audit
layout: quality
sheet: 文件台账
folder: audit
file: quality_report.html
order: [class_no, file, delivery_id]
columns:
  - {name: department_zh, zh: 部门, width: 16}
  - {name: class_zh, zh: 数据类别, width: 24}
  - {name: file, zh: 文件, width: 30}
  - {name: kind_zh, zh: 全量或增量, width: 8}
  - {name: encoding, zh: 编码, width: 10}
  - {name: received, zh: 收到, width: 10, kind: integer, total: true}
  - {name: accepted, zh: 接收, width: 10, kind: integer, total: true}
  - {name: rejected, zh: 拒收, width: 10, kind: integer, total: true}
  - {name: duplicate, zh: 重复, width: 10, kind: integer, total: true}
  - {name: quarantined, zh: 隔离, width: 10, kind: integer, total: true}
  - {name: residual, zh: 差额, width: 8, kind: integer, total: true}
  - {name: other, zh: 非数据行, width: 9, kind: integer, total: true}
  - {name: status_zh, zh: 处理, width: 10}
  - {name: control_zh, zh: 控制总数, width: 24, kind: wrap}
carries: [class_no, class_id, delivery_id, sha256, status]
note_zh: 差额=收到-接收-拒收-重复-隔离，应为零；非数据行为标题、表头、空行、合计行。
---*/
select coalesce(c.department_zh, l.department)          as department_zh,
       coalesce(c.class_zh, l.class_id)                 as class_zh,
       l.file,
       if(l.kind = 'full', '全量', '增量')              as kind_zh,
       if(l.encoding = 'workbook', '工作簿', coalesce(l.encoding, '')) as encoding,
       l.rows_received                                  as received,
       l.rows_accepted                                  as accepted,
       l.rows_rejected                                  as rejected,
       l.rows_duplicate                                 as duplicate,
       l.rows_quarantined                               as quarantined,
       l.rows_received - l.rows_accepted - l.rows_rejected - l.rows_duplicate - l.rows_quarantined as residual,
       coalesce(l.rows_other, 0)                        as other,
       case l.status when 'accepted' then '已接收' when 'rejected' then '整份拒收' when 'held' then '暂扣待确认'
                     when 'duplicate' then '重复文件' else l.status end as status_zh,
       case when l.control_ok then '相符' when not l.control_ok then coalesce('不符：' || l.control_note_zh, '不符')
            else '未提供' end                           as control_zh,
       coalesce(c.class_no, 99)                         as class_no,
       l.class_id,
       l.delivery_id,
       l.sha256,
       l.status
from ledger l
left join class c using (class_id)
