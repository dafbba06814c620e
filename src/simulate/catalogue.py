"""The catalogue: what kinds of goods a simulated city sells, and how each kind behaves."""

from __future__ import annotations

from typing import Literal

from contracts.settings.field import Section, setting


class Category(Section):
    """One category of goods; the defaults describe a dull one, `CATEGORIES` describes the ten we sell."""

    category_id: str = setting(..., unit="-", reason="Id in the SKU table.")
    name: str = setting(..., unit="-", reason="Chinese name people use.")
    stems: tuple[str, ...] = setting(..., unit="-", reason="Names of goods; SKUs take them in turn.")
    temperature_zone: Literal["ambient", "chilled", "frozen"] = setting(
        "ambient", unit="-", reason="Dry goods are the rule."
    )
    sku_share: float = setting(0.1, unit="share of SKUs", reason="Ten categories of equal breadth.", gt=0)
    line_share: float = setting(0.1, unit="share of order lines", reason="Ten categories of equal pull.", gt=0)
    price_yuan: tuple[float, float] = setting((5.0, 30.0), unit="yuan per unit", reason="Pocket money to a big pack.")
    weight_kg: tuple[float, float] = setting((0.3, 1.5), unit="kg per unit", reason="What a neighbour carries home.")
    litres_per_kg: float = setting(2.2, unit="l/kg", reason="Packed density in a crate.", gt=0)
    shelf_life_days: tuple[int, int] = setting((120, 360), unit="days", reason="Dry goods keep for months.")
    cost_share: float = setting(
        0.66, unit="share of list price", reason="Group buying keeps 30-40 % for leader, sorting and vans.", gt=0, lt=1
    )
    salvage_share: float = setting(
        0.5,
        unit="share of purchase cost",
        reason="Sold on another night at a cut; below any discounted price, or buying to scrap would pay.",
        ge=-1,
        lt=0.7,
    )
    units_per_line: float = setting(1.35, unit="units", reason="Most lines are one unit, some two or three.", ge=1)
    weekly: tuple[float, ...] = setting(
        (0.94, 0.93, 0.95, 0.98, 1.05, 1.12, 1.03),
        unit="factor, delivery on Monday..Sunday",
        reason="Weekend cooking and visits lift Friday to Sunday.",
        min_length=7,
        max_length=7,
    )
    elasticity: float = setting(1.8, unit="-", reason="1 % cheaper sells about 2 % more.", ge=0)
    heat: float = setting(0.0, unit="log per 10 degrees above 15 C", reason="Most goods do not mind the weather.")
    rain: float = setting(0.02, unit="log per 10 mm", reason="Rain keeps people from the market.")
    season_amplitude: float = setting(0.0, unit="log", reason="Most goods sell all year.", ge=0)
    season_peak_day: int = setting(1, unit="day of the year", reason="Used where there is a season.", ge=1, le=366)
    new_year: float = setting(0.2, unit="log at the peak before Lunar New Year", reason="Stocking up for the feast.")
    holiday: float = setting(0.05, unit="log on public holidays", reason="Families eat at home.")
    late: float = setting(
        1.0, unit="factor on evening orders", reason="Dinner goods are ordered later than dry goods.", gt=0
    )


CATEGORIES: tuple[Category, ...] = (
    Category(
        category_id="vegetables",
        name="蔬菜", stems=("上海青", "土豆", "番茄", "黄瓜", "生菜", "西兰花", "胡萝卜", "茄子"),
        sku_share=0.16, line_share=0.24, price_yuan=(2.0, 9.0), weight_kg=(0.3, 1.0), litres_per_kg=3.4,
        temperature_zone="chilled", shelf_life_days=(2, 5), cost_share=0.62, salvage_share=0.05, units_per_line=1.5,
        elasticity=1.5, rain=0.07, season_amplitude=0.08, season_peak_day=120, new_year=0.15, late=1.15,
    ),
    Category(
        category_id="fruit",
        name="水果", stems=("红富士苹果", "砂糖橘", "香蕉", "草莓", "梨", "葡萄", "橙子", "猕猴桃"),
        sku_share=0.12, line_share=0.17, price_yuan=(6.0, 30.0), weight_kg=(0.5, 2.5), litres_per_kg=2.6,
        shelf_life_days=(4, 10), cost_share=0.64, salvage_share=0.12, units_per_line=1.2, elasticity=2.2, heat=0.06,
        rain=0.03, season_amplitude=0.10, season_peak_day=20, new_year=0.45, holiday=0.10, late=1.05,
    ),
    Category(
        category_id="meat_eggs", name="肉禽蛋", stems=("鲜鸡蛋", "五花肉", "鸡腿", "猪里脊", "排骨", "鸡胸肉", "牛腩"),
        sku_share=0.10, line_share=0.13, price_yuan=(9.0, 45.0), weight_kg=(0.4, 1.5), litres_per_kg=1.8,
        temperature_zone="chilled", shelf_life_days=(3, 12), cost_share=0.68, salvage_share=0.10, elasticity=2.0,
        rain=0.04, new_year=0.55, late=1.15,
    ),
    Category(
        category_id="dairy_tofu", name="乳品豆制品", stems=("鲜牛奶", "酸奶", "嫩豆腐", "豆干", "奶酪", "豆浆"),
        sku_share=0.09, line_share=0.10, price_yuan=(4.0, 25.0), weight_kg=(0.25, 1.2), litres_per_kg=1.6,
        temperature_zone="chilled", shelf_life_days=(5, 18), cost_share=0.66, salvage_share=0.15, elasticity=1.6,
        units_per_line=1.45, late=1.05,
    ),
    Category(
        category_id="seafood", name="水产", stems=("带鱼段", "虾仁", "鱿鱼", "巴沙鱼", "三文鱼", "黄花鱼"),
        sku_share=0.07, line_share=0.05, price_yuan=(15.0, 60.0), weight_kg=(0.3, 1.2), litres_per_kg=1.9,
        temperature_zone="frozen", shelf_life_days=(60, 180), cost_share=0.68, salvage_share=0.45, elasticity=2.0,
        new_year=0.65, holiday=0.12, units_per_line=1.15,
    ),
    Category(
        category_id="frozen_food", name="速冻食品", stems=("水饺", "汤圆", "手抓饼", "包子", "馄饨", "冰淇淋"),
        sku_share=0.10, line_share=0.08, price_yuan=(7.0, 32.0), weight_kg=(0.3, 1.0), litres_per_kg=2.3,
        temperature_zone="frozen", shelf_life_days=(90, 270), cost_share=0.64, salvage_share=0.5, elasticity=2.3,
        heat=-0.05, new_year=0.35,
    ),
    Category(
        category_id="grain_oil", name="粮油调味", stems=("大米", "食用油", "面粉", "生抽", "挂面", "陈醋"),
        sku_share=0.10, line_share=0.06, price_yuan=(6.0, 60.0), weight_kg=(0.5, 5.0), litres_per_kg=1.3,
        cost_share=0.68, salvage_share=0.55, units_per_line=1.1, elasticity=2.6, new_year=0.4, late=0.85,
    ),
    Category(
        category_id="snacks", name="休闲零食", stems=("饼干", "坚果", "薯片", "牛肉干", "糖果", "蛋糕"),
        sku_share=0.11, line_share=0.08, price_yuan=(5.0, 35.0), weight_kg=(0.1, 0.8), litres_per_kg=4.5,
        shelf_life_days=(60, 240), cost_share=0.60, elasticity=2.4, new_year=0.6, holiday=0.12, late=0.95,
    ),
    Category(
        category_id="drinks", name="酒水饮料", stems=("矿泉水", "可乐", "绿茶", "啤酒", "果汁", "椰汁"),
        sku_share=0.07, line_share=0.05, price_yuan=(8.0, 50.0), weight_kg=(1.0, 6.0), litres_per_kg=1.2,
        cost_share=0.66, salvage_share=0.5, units_per_line=1.2, heat=0.16, season_amplitude=0.12,
        season_peak_day=200, new_year=0.5, holiday=0.1, late=0.9,
    ),
    Category(
        category_id="household", name="日用百货", stems=("抽纸", "洗衣液", "垃圾袋", "洗洁精", "毛巾", "湿巾"),
        sku_share=0.08, line_share=0.04, price_yuan=(6.0, 40.0), weight_kg=(0.2, 2.5), litres_per_kg=5.0,
        cost_share=0.60, salvage_share=0.55, units_per_line=1.1, elasticity=2.5, rain=0.0, new_year=0.1, late=0.8,
    ),
)  # fmt: skip
"""Ten categories in three temperature zones; shares, prices and habits after what group-buying apps show."""
