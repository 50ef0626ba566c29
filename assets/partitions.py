"""The partitions of every asset: one a business date."""

from datetime import date

import dagster as dg

FIRST_DATE = date(2024, 1, 1)
"""No night before this day can be run."""

TIMEZONE = "Asia/Shanghai"

# Today is a partition as well, so that a department can be read on the day on which it delivers.
batch_date = dg.DailyPartitionsDefinition(start_date=FIRST_DATE.isoformat(), timezone=TIMEZONE, end_offset=1)


def day_of(context: dg.AssetExecutionContext) -> date:
    """The business date of a run. Nothing below `pipelines/` knows another one."""
    return date.fromisoformat(context.partition_key)
