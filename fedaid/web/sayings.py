"""Words for what was done and how things stand, by the word that stands in the address or the database."""

SAYINGS = {
    "signed_in": "Welcome back.",
    "signed_out": "You are signed out.",
    "posted": "It is on the board.",
    "changed": "Your changes are kept.",
    "withdrawn": "It is taken off the board.",
    "extended": "It stays on the board longer.",
    "response_sent": "Your offer of help is on its way.",
    "response_withdrawn": "You took your offer back.",
    "accepted": "Accepted. They will be told.",
    "declined": "Declined. They will be told.",
    "done": "Thank you. It is marked as done.",
    "cancelled": "It is called off.",
    "hours_given": "The hours are given.",
    "hours_claimed": "Logged. The other side is asked to confirm.",
    "hours_confirmed": "Confirmed. Thank you.",
    "hours_refused": "Refused. They will be told.",
    "hours_withdrawn": "You took it back.",
    "hours_questioned": "Asked. Nothing is decided by it; you can still confirm or refuse.",
    "hours_answered": "Your answer is kept.",
    "hours_corrected": "The correction is entered.",
    "hours_settings": "Your choices are kept.",
    "hours_shared": "Kept.",
    "hours_gift": "Thank you for the gift. It is marked as done.",
    "hours_queued": "Kept. It is done once the other network has answered; you need not press again.",
    "network_proposed": "Proposed. Their admin will be asked.",
    "network_accepted": "Accepted. The two boards will follow each other.",
    "network_paused": "Paused. Nothing new goes between you; what is under way still finishes.",
    "network_resumed": "Resumed.",
    "network_ended": "Ended.",
}

ACTION_WORDS = {
    "answer": "Somebody answered you",
    "log_hours": "You helped: log the hours",
    "say_done": "Is it done?",
}
LISTING_WORDS = {
    "draft": "not posted yet",
    "open": "open",
    "partly_filled": "some helpers found",
    "filled": "helpers found",
    "done": "done",
    "expired": "its time is over",
    "withdrawn": "taken off the board",
}
RESPONSE_WORDS = {
    "offered": "not answered yet",
    "accepted": "accepted",
    "declined": "not needed this time",
    "withdrawn": "you took it back",
}
