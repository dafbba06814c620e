"""Names that people write in their headers, Chinese and English, and the contract column each one means.

A header is compared after full-width letters, case, blanks, underscores and what stands in brackets are taken off:
``单价（元）``, ``Unit Price`` and ``unit_price`` are read as 单价 and unitprice. Aliases count only among the columns
of the table being read, and the first alias of a column that is in the header is taken.
"""

from __future__ import annotations

import re
import unicodedata

_WORDS: dict[str, str] = {
    "order_id": "订单号 订单编号 订单id 单号 订单 order_no order_number invoice_no invoice order",
    "paid_at": "付款时间 支付时间 支付日期 payment_time payment_date",
    "route_id": "线路 路线 线路编号 route",
    "trip": "趟次 trip_no",
    "seq": "顺序 站序 stop_no",
    "line_no": "行号 序号 明细号 子订单号 line line_number item_no",
    "placed_at": "下单时间 下单日期 订单时间 付款时间 支付时间 "
    "创建时间 ordered_at order_time order_date created_at invoice_date",
    "delivery_date": "送达日期 配送日期 送货日期 到货日期 提货日期 自提日期 "
    "预售日 销售日期 delivery_day ship_date date 日期",
    "community_id": "社区编码 社区编号 社区id 自提点编码 自提点编号 自提点id 社区 小区 "
    "自提点 提货点 团点 团长 community pickup_point store_id store",
    "sku_id": "商品编码 商品编号 商品id 货号 sku编码 sku 条码 "
    "商品 品名 商品名称 product_id item_id stock_code product item",
    "units": "预估销量 预计销量 预测销量 预估件数 estimate estimated_units forecast",
    "known_on": "预估日期 给出日期 生成日期 given_on estimated_on",
    "level": "层级 级别",
    "place_id": "地点编码 地点 仓库编码 仓库 中心仓 价格区 社区编码 社区 自提点 place",
    "quantity": "数量 件数 购买数量 下单数量 订购数量 份数 销量 qty units order_quantity",
    "unit_price_yuan": "单价 价格 成交价 实付单价 售价 进价 采购价 供货价 unit_price price 阶梯价",
    "cancelled_at": "取消时间 退款时间 退单时间 cancelled canceled_at cancel_time refunded_at",
    "warehouse_id": "仓库编码 仓库编号 仓库id 仓库 中心仓 配送仓 warehouse wh",
    "depot_id": "网格仓编码 网格仓编号 网格仓id 网格仓 网格站 depot grid_depot",
    "area_id": "价格区 区域编码 区域 城区 片区 area price_area region",
    "supplier_id": "供应商编码 供应商编号 供应商id 供应商 供货商 supplier vendor",
    "vehicle_type_id": "车型编码 车型 车辆类型 vehicle_type vehicle",
    "base_id": "出发仓 出车地 所属仓库 base",
    "category_id": "类目编码 品类编码 类目 品类 分类 category",
    "leader_id": "团长编码 团长编号 团长id 团长 leader",
    "name": "名称 商品名称 品名 社区名称 自提点名称 仓库名称 供应商名称 网格仓名称 title",
    "latitude": "纬度 lat",
    "longitude": "经度 lng lon long",
    "temperature_zone": "温区 温层 储存温区 storage zone",
    "unit": "规格 单位 销售单位 包装 pack pack_size",
    "weight_kg": "重量 单重 毛重 净重 weight",
    "volume_l": "体积 单件体积 volume",
    "shelf_life_days": "保质期 保质天数 shelf_life",
    "salvage_yuan": "残值 处理价 salvage",
    "shortage_penalty_yuan": "缺货损失 缺货成本 缺货赔付 shortage_penalty",
    "order_cost_yuan": "下单成本 订货成本 order_cost",
    "min_order_yuan": "起送金额 最低订货金额 起订金额 min_order minimum_order",
    "max_share": "最大份额 供货上限占比 max_share",
    "fill_rate": "满足率 到货率 履约率 fill_rate",
    "lead_time_hours": "提前期 备货时间 交货期 lead_time",
    "order_deadline": "截单时间 订货截止 截止时间 deadline",
    "case_units": "箱规 装箱数 每箱数量 件规 case_pack case_size units_per_case",
    "min_cases": "起订量 最小起订量 起订箱数 moq minimum_cases",
    "max_cases": "最大箱数 供货上限 最大供货量 maximum_cases",
    "discount_kind": "折扣方式 阶梯方式 discount",
    "valid_from": "生效日期 生效日 起始日期 effective_from valid_since",
    "valid_until": "失效日期 失效日 截止日期 有效期至 effective_until valid_to",
    "late_price_yuan": "加急价 补货价 late_price",
    "late_max_cases": "加急上限 补货上限",
    "from_cases": "阶梯起点 起始箱数 满箱数 from_case",
    "from_yuan": "满额 起始金额 返利门槛 from_spend",
    "rebate_rate": "返利率 返点 rebate",
    "yuan_per_kg": "运费单价 每公斤运费 公斤运费 freight_per_kg",
    "truck_capacity_kg": "整车载重 truck_capacity",
    "truck_yuan": "整车运费 整车价 truck_price",
    "arrives_at": "到仓时间 到货时间 arrival arrival_time",
    "count": "数量 车辆数 台数 number vehicles",
    "capacity_kg": "载重 核定载重 capacity_weight",
    "capacity_l": "容积 货箱容积 capacity_volume",
    "carries_chilled": "冷藏 可冷藏 chilled",
    "carries_frozen": "冷冻 可冷冻 frozen",
    "fixed_yuan": "固定成本 出车费 起步价 fixed_cost",
    "yuan_per_km": "公里费 每公里费用 cost_per_km",
    "yuan_per_hour": "小时费 每小时费用 cost_per_hour",
    "shift_start": "出车时间 上班时间",
    "shift_end": "收车时间 下班时间",
    "max_trips": "最多趟数 趟数 trips",
    "inbound_capacity_units": "收货能力 入库能力 inbound_capacity",
    "stations": "播种位 分拣台 工位数",
    "slots_per_station": "格口数 每台格口数 slots",
    "units_per_worker_hour": "人效 每人每小时件数 productivity",
    "max_workers": "最多人数 人数上限 workers",
    "worker_hour_yuan": "时薪 工时费 wage",
    "overtime_hour_yuan": "加班时薪 加班费 overtime",
    "opens_at": "开始时间 开仓时间 开门时间 open",
    "closes_at": "结束时间 关仓时间 关门时间 close",
    "window_start": "最早送达 收货开始 窗口开始",
    "window_end": "最晚送达 收货结束 窗口结束",
    "service_minutes": "卸货时间 停留时间 服务时间 service_time",
    "opened_on": "开团日期 开通日期 上线日期",
    "closed_on": "停团日期 关闭日期 下线日期",
    "price_yuan": "团购价 售价 单价 价格 price",
    "list_price_yuan": "原价 划线价 市场价 list_price",
    "sold_out_at": "售罄时间 抢光时间 sold_out",
    "on_hand": "库存 现有库存 在库数量 stock on_hand_units",
    "due_in": "在途 在途数量 待到货 incoming",
    "expires_on": "到期日 过期日期 有效期至 expiry expiry_date",
    "from_id": "起点 出发地 origin",
    "to_id": "终点 目的地 destination",
    "distance_m": "距离 里程 distance",
    "duration_s": "时长 行驶时间 duration",
    "day": "日期 date",
    "is_holiday": "节假日 是否节假日 holiday",
    "event": "节日 活动 节日名称 活动名称 事件",
    "temperature_c": "气温 平均气温 temperature",
    "rain_mm": "降雨量 降水量 rain",
}
ALIASES: dict[str, tuple[str, ...]] = {column: tuple(words.split()) for column, words in _WORDS.items()}

VALUES: dict[str, dict[str, str]] = {
    "temperature_zone": {"常温": "ambient", "冷藏": "chilled", "冷鲜": "chilled", "冷冻": "frozen"},
    "discount_kind": {"全量": "all_units", "全额": "all_units", "增量": "incremental", "超额": "incremental"},
    "level": {"社区": "community", "自提点": "community", "仓库": "warehouse", "中心仓": "warehouse", "价格区": "area"},
}
"""Words of fixed vocabularies in Chinese."""

_BOTH = re.compile(r"^[^\x00-\x7f]+ ([a-z0-9_]+)$")
_BRACKETS = re.compile(r"[（(\[【]([^)）\]】]*)[)）\]】]")


def heading(text: str) -> str:
    """Return a header as it is compared.

    Examples
    --------
    >>> heading("单价（元）"), heading("Unit_Price "), heading("ＳＫＵ编码")
    ('单价', 'unitprice', 'sku编码')
    >>> heading("商品编码 sku_id")  # as `store.export` writes both names
    'skuid'
    """
    plain = _BRACKETS.sub("", unicodedata.normalize("NFKC", text)).casefold().strip()
    both = _BOTH.match(plain)
    plain = both[1] if both else plain
    return re.sub(r"[\s_\-./]+", "", plain)


def heading_unit(text: str) -> str | None:
    """Return what stands in brackets in a header: often the unit.

    Examples
    --------
    >>> heading_unit("重量(斤)"), heading_unit("数量")
    ('斤', None)
    """
    found = _BRACKETS.search(unicodedata.normalize("NFKC", text))
    return found[1].strip() or None if found else None
