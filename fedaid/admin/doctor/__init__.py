"""Examines an instance the way an admin would at night, inside and as others see it, and says what to mend."""

import asyncio

from fedaid.admin.doctor.inside import look_at_ground, look_inside
from fedaid.admin.doctor.outside import look_from_outside
from fedaid.admin.doctor.patient import Finding, Patient

__all__ = ["Finding", "Patient", "examine"]


async def examine(patient: Patient) -> list[Finding]:
    """All findings, in the order to mend them. Without a database that can be read, nothing else is looked at."""
    ground = await asyncio.to_thread(look_at_ground, patient)
    if not all(finding.ok for finding in ground[1:]):
        return ground
    return ground + await asyncio.to_thread(look_inside, patient) + await look_from_outside(patient)
