"""The jobs: the whole night, one department, one rule.

All run their steps in one process, one after the other. A night is about 20 steps of seconds each: a process of its
own costs 3 seconds a step (it imports everything again) and two steps at once would share two cores and twice the
memory. A province needs another executor, not other assets.
"""

import dagster as dg

from assets.partitions import batch_date

QUIET = {"loggers": {"console": {"config": {"log_level": "WARNING"}}}}

everything = dg.AssetSelection.all() - dg.AssetSelection.groups("retention")

night = dg.define_asset_job(
    "night",
    selection=everything,
    description="整夜：从收件箱到名单。 The whole night, from the inbox to the lists.",
    partitions_def=batch_date,
    executor_def=dg.in_process_executor,
    config=QUIET,
    tags={"hardship_watch/job": "night"},
)

one_department = dg.define_asset_job(
    "one_department",
    selection=dg.AssetSelection.groups("extracts"),
    description="重读一个部门（在界面中选择其信息类别）。 Read one department again; choose its classes.",
    partitions_def=batch_date,
    executor_def=dg.in_process_executor,
    config=QUIET,
    tags={"hardship_watch/job": "one_department"},
)

one_rule = dg.define_asset_job(
    "one_rule",
    selection=dg.AssetSelection.groups("rules"),
    description="重跑一条规则（在界面中选择该规则）。 Run one rule again; choose the rule.",
    partitions_def=batch_date,
    executor_def=dg.in_process_executor,
    config=QUIET,
    tags={"hardship_watch/job": "one_rule"},
)

jobs = [night, one_department, one_rule]
