"""How wide a text is in the chart's font (receiver/render/fonts), so that labels can be laid out without drawing them."""

from __future__ import annotations

_UNITS_PER_EM = 2048
# Advance widths of the printable ASCII characters, from the blank to the tilde.
_ADVANCE = (
    508, 528, 656, 1261, 1151, 1500, 1274, 358, 701, 713, 882, 1162, 403, 566, 540, 845, 1151, 1151, 1151,
    1151, 1151, 1151, 1151, 1151, 1151, 1151, 496, 433, 1041, 1124, 1071, 968, 1839, 1336, 1276, 1333, 1344, 1164,
    1132, 1395, 1461, 557, 1130, 1285, 1103, 1788, 1461, 1409, 1292, 1409, 1262, 1216, 1222, 1328, 1304, 1817, 1284,
    1230, 1227, 543, 841, 543, 856, 924, 633, 1114, 1150, 1072, 1155, 1086, 712, 1150, 1128, 498, 490, 1038,
    498, 1796, 1131, 1168, 1150, 1164, 694, 1057, 670, 1129, 992, 1539, 1016, 969, 1016, 693, 500, 693, 1393,
)  # fmt: skip
_FIRST, _LAST = " ", "~"
_ELLIPSIS, _ELLIPSIS_ADVANCE = "…", 1370


def drawable(text: str) -> str:
    """The text in characters whose width is known; anything else becomes a question mark."""
    return "".join(char if _FIRST <= char <= _LAST or char == _ELLIPSIS else "?" for char in text)


def width_px(text: str, size_px: float) -> float:
    """The width of a `drawable` text."""
    units = (_ELLIPSIS_ADVANCE if char == _ELLIPSIS else _ADVANCE[ord(char) - ord(_FIRST)] for char in drawable(text))
    return sum(units) * size_px / _UNITS_PER_EM
