"""What to call the device of a session, from what its browser says of itself; pure, and only ever a guess."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class DeviceKind(StrEnum):
    """What somebody holds in their hands."""

    PHONE = "phone"
    TABLET = "tablet"
    COMPUTER = "computer"
    OTHER = "other"


@dataclass(frozen=True)
class Device:
    """A kind of device and the browser's name; empty where it is not known."""

    kind: DeviceKind
    browser: str


# Each browser also names those it came from, so the youngest stands first.
_BROWSERS: Final = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)


def device_of(agent: str) -> Device:
    """The device of a User-Agent (RFC 9110, 10.1.5)."""
    browser = next((name for mark, name in _BROWSERS if mark in agent), "")
    if "iPad" in agent or "Tablet" in agent or ("Android" in agent and "Mobile" not in agent):
        return Device(DeviceKind.TABLET, browser)
    if "Mobile" in agent or "iPhone" in agent or "Android" in agent:
        return Device(DeviceKind.PHONE, browser)
    if any(system in agent for system in ("Windows", "Macintosh", "X11", "CrOS")):
        return Device(DeviceKind.COMPUTER, browser)
    return Device(DeviceKind.OTHER, browser)
