"""Words on the papers, in Chinese and English."""

from __future__ import annotations

from typing import Literal

Language = Literal["zh", "en"]

WORDS: dict[str, tuple[str, str]] = {
    "ambient": ("常温", "Ambient"),
    "chilled": ("冷藏", "Chilled"),
    "frozen": ("冷冻", "Frozen"),
    "sheet": ("分拣单", "Sorting sheet"),
    "wave": ("波次", "Wave"),
    "station": ("工位", "Station"),
    "slot": ("格口", "Slot"),
    "workers": ("人数", "Workers"),
    "units": ("件数", "Units"),
    "goods": ("商品", "Goods"),
    "total": ("合计", "Total"),
    "page": ("页", "Page"),
    "label": ("格口标签", "Slot label"),
    "kinds": ("品种", "SKUs"),
    "leader": ("团长", "Leader"),
    "route": ("线路", "Route"),
    "handout": ("分发单", "Hand-out sheet"),
    "order": ("订单", "Order"),
    "name": ("姓名", "Name"),
    "ordered": ("订购", "Ordered"),
    "given": ("实发", "Handed out"),
    "short": ("缺货", "Short"),
    "parcel": ("包裹", "Parcel"),
    "run sheet": ("行车单", "Run sheet"),
    "load list": ("装车单", "Load list"),
    "trip": ("趟次", "Trip"),
    "from": ("出发", "From"),
    "leaves": ("发车", "Leaves"),
    "returns": ("返回", "Returns"),
    "arrive": ("到达", "Arrive"),
    "window": ("收货时段", "Window"),
    "stop": ("站点", "Stop"),
    "stops": ("站数", "Stops"),
    "crates": ("筐", "Crates"),
    "no": ("序", "No."),
    "van": ("接驳车", "Van"),
    "note": ("备注", "Note"),
}


def say(word: str, language: Language) -> str:
    """Return a word in a language.

    Examples
    --------
    >>> say("wave", "zh"), say("wave", "en")
    ('波次', 'Wave')
    """
    return WORDS[word][language == "en"]


def number(units: float) -> str:
    """Return units as people write them: no decimals unless there are some.

    Examples
    --------
    >>> number(12.0), number(0.5)
    ('12', '0.5')
    """
    return f"{units:.3f}".rstrip("0").rstrip(".")
