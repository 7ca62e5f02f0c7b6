"""The words that numbers, dates and measures are written with."""

from __future__ import annotations

MAGNITUDES = {
    "hundred": 100,
    "k": 10**3, "thousand": 10**3,
    "m": 10**6, "mn": 10**6, "million": 10**6,
    "b": 10**9, "bn": 10**9, "billion": 10**9,
    "t": 10**12, "trillion": 10**12,
}  # fmt: skip
MONTHS = {
    name: number
    for number, names in enumerate(
        ["january jan", "february feb", "march mar", "april apr", "may", "june jun", "july jul",
         "august aug", "september sep sept", "october oct", "november nov", "december dec"], 1)
    for name in names.split()
}  # fmt: skip

_ONES = "one two three four five six seven eight nine".split()
_TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
WORDS = {
    **{word: number for number, word in enumerate(_ONES + _TEENS, 1)},
    **{ten: 10 * tens for tens, ten in enumerate(_TENS, 2)},
    **{
        f"{ten}-{one}": 10 * tens + ones
        for tens, ten in enumerate(_TENS, 2)
        for ones, one in enumerate(_ONES, 1)
    },
}
PARTS = {
    "half": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6, "eighth": 8,
    "tenth": 10, "hundredth": 100, "thousandth": 1000,
}  # fmt: skip
MULTIPLES = {"twice": 2, "doubled": 2, "doubles": 2, "thrice": 3, "tripled": 3, "triples": 3}

CURRENCIES = {
    "$": "$", "us$": "$", "usd": "$", "dollar": "$", "dollars": "$",
    "€": "€", "eur": "€", "euro": "€", "euros": "€", "£": "£", "gbp": "£",
}  # fmt: skip
DATA_AND_POWER = {unit: unit for unit in "kb mb gb tb pb kwh ghz mhz".split()}
TIMES = {
    **dict.fromkeys("ms millisecond milliseconds".split(), "millisecond"),
    **dict.fromkeys("s sec secs second seconds".split(), "second"),
    **dict.fromkeys("min mins minute minutes".split(), "minute"),
    **dict.fromkeys("h hr hrs hour hours hourly".split(), "hour"),
    **dict.fromkeys("day days daily".split(), "day"),
    **dict.fromkeys("week weeks weekly".split(), "week"),
    **dict.fromkeys("month months monthly".split(), "month"),
    **dict.fromkeys("year years annum annually yearly".split(), "year"),
}
