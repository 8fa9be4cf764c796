"""Apprise's schemes of what wakes people: telephones and pagers, and the services that call whoever is on duty."""

# A message there is one SMS long: charged by the piece, read aloud, or cut. Apprise limits only some of them.
SMS = frozenset(
    "46elks aprs atalk bulksms bulkvs burstsms clickatell clicksend cm d7sms dapnet eight00com elks exotel freemobile "
    "httpsms infobip kaleyra kavenegar klr kudosity mobilemessage mobilemsg msg91 msgbird nexmo notifyre octopush "
    "plivo ringc serwersms seven sfr sinch smpp smpps smsc smseagle smseagles smsmanager smsmgr smstunnel sns telesign "
    "telnyx twilio voipms vonage".split()
)
ON_CALL = frozenset(
    "betterstack firehydrant goalert goalerts ilert incidentio lfg opsgenie pagerduty pagertree signl4 spike splunk "
    "squadcast victorops xmatters".split()
)

# A late notice there would wake somebody for nothing.
LOUD = SMS | ON_CALL
