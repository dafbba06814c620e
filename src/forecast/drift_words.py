"""The drift report in plain words, Chinese and English: what was found, how it stands, what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from contracts.errors import InputError

if TYPE_CHECKING:
    from forecast.drift import DriftReport

LANGUAGES = ("en", "zh")
_PLACES = {
    "community": ("Communities", "社区"),
    "warehouse": ("Warehouses", "中心仓"),
    "area": ("Areas", "价格区"),
    "all": ("All levels", "各层级"),
}


@dataclass(frozen=True)
class DriftFinding:
    """One thing that is not as promised.

    Attributes
    ----------
    kind : {"error", "bias", "coverage"}
    now, promised : float
        Share of the units (error, bias) or of the rows (coverage).
    days : int
        Delivery dates it was seen on.
    what : str
        The quantile, for coverage.
    """

    kind: Literal["error", "bias", "coverage"]
    level: str
    now: float
    promised: float
    days: int
    what: str = ""

    @property
    def english(self) -> str:
        """Return the sentence in English."""
        place = _PLACES[self.level][0]
        if self.kind == "error":
            return f"{place}: the error grew to {self.now:.0%} of the units; {self.promised:.0%} was promised."
        if self.kind == "bias":
            side = "too much" if self.now > 0 else "too little"
            return f"{place}: {abs(self.now):.0%} {side} was forecast over the last {self.days} days."
        return f"{place}: {self.what} held {self.now:.0%} of the demand instead of {self.promised:.0%}."

    @property
    def chinese(self) -> str:
        """Return the sentence in Chinese."""
        place = _PLACES[self.level][1]
        if self.kind == "error":
            return f"{place}：预测误差升到销量的 {self.now:.0%}，回测时为 {self.promised:.0%}。"
        if self.kind == "bias":
            side = "偏多" if self.now > 0 else "偏少"
            return f"{place}：最近 {self.days} 天的预测{side} {abs(self.now):.0%}。"
        side = "偏低" if self.now < self.promised else "偏高"
        return f"{place}：{self.what} 分位数覆盖了 {self.now:.0%} 的需求，应为 {self.promised:.0%}，{side}。"

    def sentence(self, language: str) -> str:
        """Return the sentence in a language."""
        return self.chinese if language == "zh" else self.english


def report_text(report: DriftReport, language: str) -> str:
    """Return the whole report: a headline, a line per level, the findings, and what to do.

    Raises
    ------
    InputError
        The language is neither ``en`` nor ``zh``.
    """
    if language not in LANGUAGES:
        raise InputError(f"Reports are written in {' and '.join(LANGUAGES)}; asked was {language!r}.")
    chinese = language == "zh"
    lines = [_headline(report, chinese=chinese)]
    for row in report.scores.to_dict("records"):
        place = _PLACES[row["level"]][chinese]
        promised = row["promised_wape"]
        if chinese:
            told = "没有回测可比" if promised != promised else f"回测为 {promised:.0%}"
            lines.append(f"- {place}：误差为销量的 {row['wape']:.0%}（{told}），偏差 {row['bias']:+.0%}。")
        else:
            told = "no rolling origins to compare" if promised != promised else f"promised {promised:.0%}"
            lines.append(f"- {place}: error {row['wape']:.0%} of the units ({told}), bias {row['bias']:+.0%}.")
    lines += [finding.sentence(language) for finding in report.findings]
    lines.append(_advice(report, chinese=chinese))
    return "\n".join(lines)


def _headline(report: DriftReport, *, chinese: bool) -> str:
    until, first, last = (str(day.date()) for day in (report.trained_until, report.first_day, report.last_day))
    days = int(report.scores["days"].max())
    if chinese:
        return f"需求模型学到 {until}；用它提前一天预测 {first} 至 {last} 共 {days} 个配送日，与回测相比："
    return (
        f"The demand model learned until {until}; it forecast {days} delivery dates, {first} to {last}, a day ahead. "
        "Held against its rolling origins:"
    )


def _advice(report: DriftReport, *, chinese: bool) -> str:
    if report.findings:
        if chinese:
            return "模型已漂移：先查清变化原因（价格、品类、缺货、节假日），再重新训练：tuancai train。"
        return (
            "The model has drifted: look for what changed first (prices, assortment, sold-out goods, holidays), then "
            "train again with `tuancai train`."
        )
    return "没有发现漂移，模型可以继续使用。" if chinese else "No drift was found: the model can go on."
