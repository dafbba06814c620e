"""The supply side: suppliers and their terms, warehouses, vans. Scaled to the volumes of the city it serves."""

from __future__ import annotations

from contracts.settings.field import Section, setting


class OfferSettings(Section):
    """Suppliers, offers, breaks, rebates and lanes."""

    suppliers: int = setting(12, unit="suppliers", reason="Three or more per category in a town.", ge=1)
    offers: tuple[int, int] = setting((2, 4), unit="offers per SKU x warehouse", reason="A choice, not a market.")
    case_units: tuple[int, ...] = setting(
        (1, 2, 4, 5, 6, 8, 10, 12, 15, 20, 24), unit="units per case", reason="Crates and cartons as traded."
    )
    case_nights: float = setting(
        0.6, unit="nights of mean demand", reason="A case may exceed this only when it is the smallest there is.", gt=0
    )
    moq_share: float = setting(0.25, unit="share of offers", reason="A quarter asks for a minimum.", ge=0, le=1)
    moq_nights: tuple[float, float] = setting(
        (0.15, 0.45), unit="nights of mean demand", reason="Below a night's need."
    )
    capacity_nights: tuple[float, float] = setting(
        (0.5, 1.6), unit="of a 99 % night", reason="Literature on discounts."
    )
    capacity_margin: float = setting(
        1.15, unit="of a 99 % night, all offers together", reason="The peak can be bought.", ge=1
    )
    price_sigma: float = setting(0.05, unit="log", reason="Suppliers of a SKU differ by some 5 %.", ge=0)
    break_share: float = setting(0.6, unit="share of offers", reason="Most quote a second price.", ge=0, le=1)
    break_cut: tuple[float, float] = setting((0.02, 0.05), unit="share of price per break", reason="Usual ladder.")
    rebate_share: float = setting(0.5, unit="share of suppliers", reason="Yearly agreements, by the night.", ge=0, le=1)
    rebate_rates: tuple[float, ...] = setting((0.02, 0.04), unit="share of spend", reason="Tiers up to 8 % are known.")
    order_cost_share: tuple[float, float] = setting(
        (0.008, 0.02), unit="of a supplier's mean spend", reason="Paperwork, a dock slot, a receiving check."
    )
    min_order_share: tuple[float, float] = setting((0.0, 0.3), unit="of mean spend", reason="A drive must pay.")
    max_share_share: float = setting(0.2, unit="share of suppliers", reason="Some must not be the only one.", ge=0)
    max_share: float = setting(0.7, unit="share of a SKU's units", reason="Dual sourcing.", gt=0, le=1)
    fill_rate: tuple[float, float] = setting((0.93, 0.995), unit="share of units", reason="Fresh goods fall short.")
    deadlines: tuple[str, ...] = setting(
        ("18:00-1", "20:00-1", "23:00-1", "23:30-1"), unit="clock", reason="Farms close early, wholesalers late."
    )
    late_share: float = setting(0.6, unit="share of offers", reason="Many sell more in the night.", ge=0, le=1)
    late_premium: tuple[float, float] = setting((0.08, 0.2), unit="share of price", reason="Night work.")
    late_nights: float = setting(0.35, unit="nights of mean demand", reason="What is left on the yard.", gt=0)
    freight_yuan_per_kg: tuple[float, float] = setting((0.06, 0.2), unit="yuan per kg", reason="City wholesale runs.")
    truck_lane_share: float = setting(0.2, unit="share of lanes", reason="Some hire whole trucks.", ge=0, le=1)
    truck_fill: float = setting(0.6, unit="of a supplier's mean night", reason="One or two trucks a night.", gt=0)
    hours_to_ready: tuple[float, float] = setting((0.5, 2.0), unit="h", reason="Picking and loading at the supplier.")
    drive_minutes: tuple[int, int] = setting((20, 70), unit="minutes", reason="Markets ring the city.")
    earliest_arrival: str = setting("00:30", unit="clock", reason="Docks open after the cutoff.")
    goodwill_share: float = setting(0.15, unit="share of price", reason="A let-down neighbour orders less.", ge=0)


class StockSettings(Section):
    """Goods at the warehouse and on the way, on the planning date."""

    stocked_share: float = setting(0.25, unit="share of long-life SKUs x warehouse", reason="Left-overs.", ge=0, le=1)
    fresh_share: float = setting(0.06, unit="share of fresh SKUs x warehouse", reason="Yesterday's rest.", ge=0, le=1)
    due_in_share: float = setting(0.05, unit="share of SKUs x warehouse", reason="Staged on the day before.", ge=0)
    nights: tuple[float, float] = setting((0.1, 0.6), unit="nights of mean demand", reason="Little is held.")


class FloorSettings(Section):
    """Sorting floors."""

    inbound_quantile: float = setting(0.95, unit="quantile of nights", reason="Docks are built for a busy night.")
    inbound_margin: float = setting(
        1.12, unit="of that night", reason="Binds on about one peak night in fifty, not on others.", gt=0
    )
    sorting_hours: float = setting(3.5, unit="h", reason="From the last arrival to the first departure.", gt=0)
    units_per_worker_hour: tuple[float, float, float] = setting(
        (220.0, 190.0, 160.0), unit="units, ambient chilled frozen", reason="Put-to-store rates; gloves slow people."
    )
    worker_margin: float = setting(1.4, unit="of a 99 % night", reason="Regular hours suffice on most nights.", gt=0)
    worker_hour_yuan: float = setting(28.0, unit="yuan", reason="Night shift in a Yangtze delta city.", ge=0)
    overtime_factor: float = setting(1.5, unit="factor", reason="Labour law.", ge=1)
    slots_per_station: int = setting(12, unit="destinations", reason="A put wall of 12 bays.", ge=1)
    slot_waves: float = setting(2.5, unit="waves", reason="All destinations fit in so many waves.", gt=0)
    opens_at: str = setting("00:30", unit="clock", reason="With the first arrivals.")
    closes_at: str = setting("06:00", unit="clock", reason="Vans leave from then on at the latest.")


class FleetSettings(Section):
    """Vans and trucks."""

    van_kg: tuple[float, ...] = setting((900.0, 1500.0, 3000.0), unit="kg", reason="金杯, 依维柯 and 4.2 m box.")
    van_l: tuple[float, ...] = setting((4500.0, 9000.0, 16000.0), unit="l", reason="Usable box volume.")
    truck_kg: tuple[float, ...] = setting((2000.0, 8000.0, 18000.0, 30000.0), unit="kg", reason="4.2 to 13.6 m.")
    truck_l: tuple[float, ...] = setting((15000.0, 40000.0, 58000.0, 90000.0), unit="l", reason="4.2 to 13.6 m.")
    stops_per_trip: float = setting(9.0, unit="stops", reason="Ten minutes each, 07:00 to 11:30.", gt=0)
    margin: float = setting(1.35, unit="of the peak day", reason="Slack for breakdowns and detours.", ge=1)
    cold_share: float = setting(0.7, unit="share of vans", reason="Nearly every stop has a frozen box.", gt=0, le=1)
    two_trip_share: float = setting(0.3, unit="share of vans", reason="Near bases a van goes twice.", ge=0, le=1)
    fixed_yuan: tuple[float, float] = setting((110.0, 160.0), unit="yuan, plain and cold", reason="Hired by the day.")
    yuan_per_km: tuple[float, float] = setting((0.9, 1.3), unit="yuan, plain and cold", reason="Fuel and tyres.")
    yuan_per_hour: float = setting(32.0, unit="yuan", reason="Driver.", ge=0)
    shift: tuple[str, str] = setting(("05:00", "13:00"), unit="clock", reason="Loads from five, home for lunch.")
    truck_shift: tuple[str, str] = setting(("01:00", "09:00"), unit="clock", reason="Linehaul in the night.")


class HistorySettings(Section):
    """What is assumed of an existing order history that has nothing but orders."""

    warehouses: int = setting(2, unit="warehouses", reason="Shows the allocation between them.", ge=1)
    areas: int = setting(1, unit="price areas", reason="The history shows one price list.", ge=1)
    cold_shares: tuple[float, float] = setting(
        (0.0, 0.0), unit="share of SKUs, chilled and frozen", reason="Nothing in the orders says a SKU is cold."
    )
    weight_kg: tuple[float, float] = setting((0.1, 1.5), unit="kg per unit", reason="Goods handed out by a leader.")
    litres_per_kg: float = setting(2.2, unit="l/kg", reason="Packed density in a crate.", gt=0)
    price_bands: int = setting(6, unit="bands", reason="Orders name no category; SKUs are grouped by price.", ge=1)
    skus_per_supplier: int = setting(60, unit="SKUs", reason="A wholesaler's catalogue.", ge=1)
    radius_km: float = setting(9.0, unit="km", reason="A town of some hundred pickup points.", gt=0)
    cost_share: float = setting(0.62, unit="share of the usual price", reason="Retail margin.", gt=0, lt=1)
    salvage_share: float = setting(0.5, unit="share of cost", reason="Kept and sold later.", ge=-1, lt=0.7)
    shelf_life_days: int = setting(180, unit="days", reason="Dry goods.", ge=1)
    listing_gap_days: int = setting(
        21, unit="delivery dates", reason="A SKU nobody bought for three weeks is not on sale.", ge=1
    )


class SupplySettings(Section):
    """Everything of the supply side."""

    offers: OfferSettings = OfferSettings()
    stock: StockSettings = StockSettings()
    floor: FloorSettings = FloorSettings()
    fleet: FleetSettings = FleetSettings()
    history: HistorySettings = HistorySettings()
