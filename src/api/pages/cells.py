"""How a page writes values and column names."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pandas as pd

_HEADINGS = {
    "amount_yuan": ("amount, yuan", "金额"),
    "arrives_at": ("arrives", "到货"),
    "at_stake_yuan": ("at stake, yuan", "风险金额"),
    "available": ("available", "可用库存"),
    "base_id": ("base", "出发点"),
    "bought": ("bought", "已采购"),
    "cases": ("cases", "箱数"),
    "confirmed": ("ordered", "已下单"),
    "confirmed_percent": ("ordered, %", "已下单占比"),
    "cost": ("part", "项目"),
    "cost_yuan": ("cost, yuan", "成本"),
    "departs_at": ("leaves", "发车"),
    "distance_m": ("metres", "里程"),
    "ends_at": ("ends", "结束"),
    "expected_short": ("expected short", "预计缺货"),
    "expected_surplus": ("expected left over", "预计剩余"),
    "final_mean": ("expected final", "预计总量"),
    "gap_percent": ("gap, %", "差距"),
    "lines": ("lines", "行数"),
    "locked_lines": ("sent before", "已发出"),
    "late_minutes": ("late, min", "延误"),
    "load_kg": ("kg", "重量"),
    "name": ("name", "名称"),
    "order_deadline": ("order by", "下单截止"),
    "remaining_mean": ("still expected", "预计还有"),
    "returns_at": ("returns", "返回"),
    "route_id": ("route", "路线"),
    "seconds": ("seconds", "用时"),
    "sku_id": ("SKU", "商品"),
    "starts_at": ("starts", "开始"),
    "station": ("station", "工位"),
    "stage": ("stage", "阶段"),
    "status": ("status", "状态"),
    "stopped_by": ("stopped by", "停止原因"),
    "stops": ("stops", "站点"),
    "supplier_id": ("supplier", "供应商"),
    "temperature_zone": ("zone", "温区"),
    "trip": ("trip", "车次"),
    "units": ("units", "件数"),
    "vehicle_type_id": ("vehicle", "车型"),
    "warehouse_id": ("warehouse", "中心仓"),
    "load_l": ("litres", "体积"),
    "yuan": ("yuan", "元"),
    "wave": ("wave", "波次"),
    "workers": ("people", "人数"),
}


def heading(column: str) -> tuple[str, str]:
    """Return a column's heading in English and Chinese; a column without one shows its name.

    Examples
    --------
    >>> heading("wave"), heading("seeds_used")
    (('wave', '波次'), ('seeds used', ''))
    """
    return _HEADINGS.get(column, (column.replace("_", " "), ""))


def cell(value: object, column: str = "") -> str:
    """Return a value as a person reads it: thousands separated, absent as a dash, money with its fen.

    Examples
    --------
    >>> cell(1234.5), cell(None), cell(12.0), cell(True), cell(-0.0)
    ('1,234.50', '-', '12', 'yes', '0')
    >>> cell(12.0, "amount_yuan")
    '12.00'
    """
    if value is None or value is pd.NaT or (isinstance(value, float) and pd.isna(value)):
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        value += 0.0  # no minus before zero
        return f"{value:,.0f}" if value.is_integer() and not column.endswith("yuan") else f"{value:,.2f}"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, datetime):
        return value.strftime("%m-%d %H:%M")
    return str(value)


def city_time(moment: datetime, timezone: str) -> str:
    """Return a moment on the city's wall clock.

    Examples
    --------
    >>> city_time(datetime.fromisoformat("2026-03-01T10:00:00+00:00"), "Asia/Shanghai")
    '2026-03-01 18:00'
    """
    return moment.astimezone(ZoneInfo(timezone)).strftime("%Y-%m-%d %H:%M")
