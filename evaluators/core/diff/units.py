"""Tables for amounts: units with their family's base and the exact factor to it, currencies, months, small numbers.

Units whose size depends on the place (gallon, ton, month) have a family of their own and convert to nothing.
"""

from __future__ import annotations

_FAMILIES: dict[str, dict[str, str]] = {
    "m": {
        "mm millimeter millimetre": "0.001",
        "cm centimeter centimetre": "0.01",
        "m meter metre": "1",
        "km kilometer kilometre": "1000",
        "inch inches": "0.0254",
        "ft foot feet": "0.3048",
        "yd yard": "0.9144",
        "mi mile": "1609.344",
    },
    "kg": {
        "mg milligram": "0.000001",
        "g gram gramme": "0.001",
        "kg kilogram kilo": "1",
        "t tonne": "1000",
        "lb lbs": "0.45359237",
        "oz ounce": "0.028349523125",
    },
    "l": {"ml milliliter millilitre": "0.001", "cl": "0.01", "dl": "0.1", "l liter litre": "1"},
    "s": {
        "ms millisecond msec": "0.001",
        "s sec secs second": "1",
        "min mins minute": "60",
        "h hr hrs hour": "3600",
        "d day": "86400",
        "week": "604800",
    },
    "month": {"month": "1"},
    "year": {"year yr yrs": "1"},
    "B": {
        "byte bytes": "1",
        "kB KB kilobyte": "1000",
        "MB megabyte": "1000000",
        "GB gigabyte": "1000000000",
        "TB terabyte": "1000000000000",
        "KiB": "1024",
        "MiB": "1048576",
        "GiB": "1073741824",
    },
    "km/h": {"km/h kmh kph": "1", "mph": "1.609344", "m/s": "3.6"},
    "m²": {"m² m^2 sqm": "1", "km² km^2": "1000000", "hectare ha": "10000"},
    "m³": {"m³ m^3": "1", "cm³ cm^3": "0.000001"},
    "W": {"W watt": "1", "kW kilowatt": "1000", "MW megawatt": "1000000"},
    "kWh": {"kWh": "1", "MWh": "1000"},
    "Hz": {"Hz hertz": "1", "kHz": "1000", "MHz": "1000000", "GHz": "1000000000"},
    "bit/s": {"bps": "1", "kbps Kbps": "1000", "Mbps": "1000000", "Gbps": "1000000000"},
    "kcal": {"kcal calorie": "1", "kJ": "0.2390057361376673"},
    "V": {"V volt": "1"},
    "°C": {"°C": "1"},
    "°F": {"°F": "1"},
    "gallon": {"gallon gal": "1"},
    "cup": {"cup": "1"},
    "tablespoon": {"tablespoon tbsp": "1"},
    "teaspoon": {"teaspoon tsp": "1"},
    "pound": {"pound": "1"},
}


def _table() -> dict[str, tuple[str, str]]:
    units = {}
    for base, members in _FAMILIES.items():
        for names, factor in members.items():
            for name in names.split():
                units[name] = (base, factor)
                if len(name) > 2 and name.isalpha():
                    units.setdefault(f"{name}s", (base, factor))
    return {**units, "° C": units["°C"], "° F": units["°F"], "metric ton": units["t"], "metric tons": units["t"]}


UNITS = _table()
"""Name -> base unit of its family, factor. «pound» is weight or money: a family of its own."""

PERCENT = frozenset({"%", "percent", "per cent", "pct"})
SYMBOLS = {"$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "₹": "INR", "₽": "RUB", "₩": "KRW", "₺": "TRY", "₴": "UAH"}
CURRENCIES = {
    **{
        code: code for code in "USD EUR GBP JPY CNY INR CHF CAD AUD NZD SEK NOK DKK PLN CZK HUF RUB KRW TRY UAH".split()
    },
    **{code: code for code in "BRL MXN ZAR SGD HKD THB IDR MYR PHP VND ILS AED SAR RON BGN".split()},
    **{"US$": "USD", "A$": "AUD", "AU$": "AUD", "C$": "CAD", "CA$": "CAD", "R$": "BRL", "S$": "SGD", "HK$": "HKD"},
    **{"dollar": "USD", "dollars": "USD", "euro": "EUR", "euros": "EUR", "yen": "JPY", "rupees": "INR", "yuan": "CNY"},
}
MAGNITUDES = {
    **{"thousand": "1000", "million": "1000000", "billion": "1000000000", "trillion": "1000000000000"},
    **{"millions": "1000000", "billions": "1000000000", "lakh": "100000", "crore": "10000000"},
    **{"k": "1000", "m": "1000000", "b": "1000000000", "mn": "1000000", "bn": "1000000000", "tn": "1000000000000"},
}
MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan",
            "february feb",
            "march mar",
            "april apr",
            "may",
            "june jun",
            "july jul",
            "august aug",
            "september sept sep",
            "october oct",
            "november nov",
            "december dec",
        ),
        1,
    )
    for name in names.split()
}
WRITTEN = {
    word: str(number)
    for number, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen twenty".split()
    )
}
