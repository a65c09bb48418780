"""The constants of SMPP 3.4: commands, statuses and what they mean, types of address, codings, flags, tags of TLVs.

Only names and numbers, each with its section; how they stand in a PDU is told in `pdu`.
"""

from dataclasses import dataclass
from enum import Enum, IntEnum, IntFlag
from typing import Final

INTERFACE_VERSION: Final = 0x34  # §5.2.4
RESPONSE: Final = 0x80000000  # §5.1.2: the bit that makes a response of a request
SEQUENCE_MAX: Final = 0x7FFFFFFF  # §5.1.4: from 1


class Command(IntEnum):
    """command_id. §5.1.2.1, table 5-1."""

    BIND_RECEIVER = 0x00000001
    BIND_TRANSMITTER = 0x00000002
    QUERY_SM = 0x00000003
    SUBMIT_SM = 0x00000004
    DELIVER_SM = 0x00000005
    UNBIND = 0x00000006
    REPLACE_SM = 0x00000007
    CANCEL_SM = 0x00000008
    BIND_TRANSCEIVER = 0x00000009
    OUTBIND = 0x0000000B
    ENQUIRE_LINK = 0x00000015
    SUBMIT_MULTI = 0x00000021
    ALERT_NOTIFICATION = 0x00000102
    DATA_SM = 0x00000103
    GENERIC_NACK = 0x80000000
    BIND_RECEIVER_RESP = 0x80000001
    BIND_TRANSMITTER_RESP = 0x80000002
    QUERY_SM_RESP = 0x80000003
    SUBMIT_SM_RESP = 0x80000004
    DELIVER_SM_RESP = 0x80000005
    UNBIND_RESP = 0x80000006
    REPLACE_SM_RESP = 0x80000007
    CANCEL_SM_RESP = 0x80000008
    BIND_TRANSCEIVER_RESP = 0x80000009
    ENQUIRE_LINK_RESP = 0x80000015
    SUBMIT_MULTI_RESP = 0x80000021
    DATA_SM_RESP = 0x80000103


class Kind(Enum):
    """What a command_status asks of whoever sent the request."""

    OK = "ok"
    THROTTLED = "throttled"  # the same again, slower
    TEMPORARY = "temporary"  # the same again, later
    PERMANENT = "permanent"  # never the same again
    BIND = "bind"  # the session is wrong, not the message
    PROTOCOL = "protocol"  # the two sides do not understand each other: one has a fault
    UNLISTED = "unlisted"  # a code of the vendor's, or one reserved: only the route's own table can tell


class Status(IntEnum):
    """command_status. §5.1.3, table 5-2. Others exist: keep what arrives as `int` and ask `meaning`."""

    ESME_ROK = 0x00
    ESME_RINVMSGLEN = 0x01
    ESME_RINVCMDLEN = 0x02
    ESME_RINVCMDID = 0x03
    ESME_RINVBNDSTS = 0x04
    ESME_RALYBND = 0x05
    ESME_RINVPRTFLG = 0x06
    ESME_RINVREGDLVFLG = 0x07
    ESME_RSYSERR = 0x08
    ESME_RINVSRCADR = 0x0A
    ESME_RINVDSTADR = 0x0B
    ESME_RINVMSGID = 0x0C
    ESME_RBINDFAIL = 0x0D
    ESME_RINVPASWD = 0x0E
    ESME_RINVSYSID = 0x0F
    ESME_RCANCELFAIL = 0x11
    ESME_RREPLACEFAIL = 0x13
    ESME_RMSGQFUL = 0x14
    ESME_RINVSERTYP = 0x15
    ESME_RINVNUMDESTS = 0x33
    ESME_RINVDLNAME = 0x34
    ESME_RINVDESTFLAG = 0x40
    ESME_RINVSUBREP = 0x42
    ESME_RINVESMCLASS = 0x43
    ESME_RCNTSUBDL = 0x44
    ESME_RSUBMITFAIL = 0x45
    ESME_RINVSRCTON = 0x48
    ESME_RINVSRCNPI = 0x49
    ESME_RINVDSTTON = 0x50
    ESME_RINVDSTNPI = 0x51
    ESME_RINVSYSTYP = 0x53
    ESME_RINVREPFLAG = 0x54
    ESME_RINVNUMMSGS = 0x55
    ESME_RTHROTTLED = 0x58
    ESME_RINVSCHED = 0x61
    ESME_RINVEXPIRY = 0x62
    ESME_RINVDFTMSGID = 0x63
    ESME_RX_T_APPN = 0x64
    ESME_RX_P_APPN = 0x65
    ESME_RX_R_APPN = 0x66
    ESME_RQUERYFAIL = 0x67
    ESME_RINVOPTPARSTREAM = 0xC0
    ESME_ROPTPARNOTALLWD = 0xC1
    ESME_RINVPARLEN = 0xC2
    ESME_RMISSINGOPTPARAM = 0xC3
    ESME_RINVOPTPARAMVAL = 0xC4
    ESME_RDELIVERYFAILURE = 0xFE
    ESME_RUNKNOWNERR = 0xFF


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """A command_status in words. A route may know better than `kind`: carriers use these codes freely."""

    code: int
    name: str
    sentence: str
    kind: Kind


# §5.1.3, table 5-2.
_MEANINGS: Final[dict[Status, tuple[Kind, str]]] = {
    Status.ESME_ROK: (Kind.OK, "No error."),
    Status.ESME_RINVMSGLEN: (Kind.PERMANENT, "The length of the message is invalid."),
    Status.ESME_RINVCMDLEN: (Kind.PROTOCOL, "The length of the command is invalid."),
    Status.ESME_RINVCMDID: (Kind.PROTOCOL, "The command is not known here."),
    Status.ESME_RINVBNDSTS: (Kind.BIND, "The command does not fit how this session is bound."),
    Status.ESME_RALYBND: (Kind.BIND, "The session is bound already."),
    Status.ESME_RINVPRTFLG: (Kind.PERMANENT, "The priority flag is invalid."),
    Status.ESME_RINVREGDLVFLG: (Kind.PERMANENT, "The registered delivery flag is invalid."),
    Status.ESME_RSYSERR: (Kind.TEMPORARY, "A system error on the other side."),
    Status.ESME_RINVSRCADR: (Kind.PERMANENT, "The source address is invalid."),
    Status.ESME_RINVDSTADR: (Kind.PERMANENT, "The destination address is invalid."),
    Status.ESME_RINVMSGID: (Kind.PERMANENT, "The message id is invalid."),
    Status.ESME_RBINDFAIL: (Kind.BIND, "The bind failed."),
    Status.ESME_RINVPASWD: (Kind.BIND, "The password is wrong."),
    Status.ESME_RINVSYSID: (Kind.BIND, "The system id is not known."),
    Status.ESME_RCANCELFAIL: (Kind.PERMANENT, "The message could not be cancelled."),
    Status.ESME_RREPLACEFAIL: (Kind.PERMANENT, "The message could not be replaced."),
    Status.ESME_RMSGQFUL: (Kind.THROTTLED, "The message queue is full."),
    Status.ESME_RINVSERTYP: (Kind.PERMANENT, "The service type is invalid."),
    Status.ESME_RINVNUMDESTS: (Kind.PERMANENT, "The number of destinations is invalid."),
    Status.ESME_RINVDLNAME: (Kind.PERMANENT, "The name of the distribution list is invalid."),
    Status.ESME_RINVDESTFLAG: (Kind.PERMANENT, "The destination flag is invalid."),
    Status.ESME_RINVSUBREP: (Kind.PERMANENT, "Submit with replace is not possible here."),
    Status.ESME_RINVESMCLASS: (Kind.PERMANENT, "The esm_class is invalid."),
    Status.ESME_RCNTSUBDL: (Kind.PERMANENT, "A distribution list cannot be submitted to."),
    Status.ESME_RSUBMITFAIL: (Kind.PERMANENT, "The submission failed."),
    Status.ESME_RINVSRCTON: (Kind.PERMANENT, "The type of number of the source address is invalid."),
    Status.ESME_RINVSRCNPI: (Kind.PERMANENT, "The numbering plan of the source address is invalid."),
    Status.ESME_RINVDSTTON: (Kind.PERMANENT, "The type of number of the destination address is invalid."),
    Status.ESME_RINVDSTNPI: (Kind.PERMANENT, "The numbering plan of the destination address is invalid."),
    Status.ESME_RINVSYSTYP: (Kind.BIND, "The system type is invalid."),
    Status.ESME_RINVREPFLAG: (Kind.PERMANENT, "The replace_if_present flag is invalid."),
    Status.ESME_RINVNUMMSGS: (Kind.PERMANENT, "The number of messages is invalid."),
    Status.ESME_RTHROTTLED: (Kind.THROTTLED, "Too many messages in too short a time."),
    Status.ESME_RINVSCHED: (Kind.PERMANENT, "The scheduled delivery time is invalid."),
    Status.ESME_RINVEXPIRY: (Kind.PERMANENT, "The validity period is invalid."),
    Status.ESME_RINVDFTMSGID: (Kind.PERMANENT, "The predefined message is invalid or unknown."),
    Status.ESME_RX_T_APPN: (Kind.TEMPORARY, "A temporary error of the receiving application."),
    Status.ESME_RX_P_APPN: (Kind.PERMANENT, "A permanent error of the receiving application."),
    Status.ESME_RX_R_APPN: (Kind.PERMANENT, "The receiving application rejected the message."),
    Status.ESME_RQUERYFAIL: (Kind.PERMANENT, "The query failed."),
    Status.ESME_RINVOPTPARSTREAM: (Kind.PERMANENT, "The optional parameters cannot be read."),
    Status.ESME_ROPTPARNOTALLWD: (Kind.PERMANENT, "An optional parameter is not allowed."),
    Status.ESME_RINVPARLEN: (Kind.PERMANENT, "The length of a parameter is invalid."),
    Status.ESME_RMISSINGOPTPARAM: (Kind.PERMANENT, "An expected optional parameter is missing."),
    Status.ESME_RINVOPTPARAMVAL: (Kind.PERMANENT, "The value of an optional parameter is invalid."),
    Status.ESME_RDELIVERYFAILURE: (Kind.PERMANENT, "The delivery failed."),
    Status.ESME_RUNKNOWNERR: (Kind.TEMPORARY, "An unknown error on the other side."),
}

VENDOR_STATUSES: Final = range(0x400, 0x500)  # §5.1.3: "reserved for SMSC vendor specific errors"


def meaning(code: int) -> Meaning:
    """What the command_status `code` means. Any number is answered; one that is in no table has `Kind.UNLISTED`."""
    try:
        status = Status(code)
    except ValueError:
        whose = "of the vendor's own" if code in VENDOR_STATUSES else "that SMPP 3.4 does not list"
        return Meaning(code=code, name=f"0x{code:08X}", sentence=f"A status {whose}.", kind=Kind.UNLISTED)
    kind, sentence = _MEANINGS[status]
    return Meaning(code=code, name=status.name, sentence=sentence, kind=kind)


class Ton(IntEnum):
    """Type of number. §5.2.5."""

    UNKNOWN = 0
    INTERNATIONAL = 1
    NATIONAL = 2
    NETWORK_SPECIFIC = 3
    SUBSCRIBER_NUMBER = 4
    ALPHANUMERIC = 5
    ABBREVIATED = 6


class Npi(IntEnum):
    """Numbering plan indicator. §5.2.6."""

    UNKNOWN = 0
    ISDN = 1  # E.163, E.164
    DATA = 3
    TELEX = 4
    LAND_MOBILE = 6
    NATIONAL = 8
    PRIVATE = 9
    ERMES = 10
    INTERNET = 14
    WAP_CLIENT_ID = 18


class DataCoding(IntEnum):
    """data_coding. §5.2.19. The rest of its values are reserved or those of GSM 03.38."""

    SMSC_DEFAULT = 0x00
    IA5 = 0x01
    OCTETS = 0x02
    LATIN_1 = 0x03
    OCTETS_8BIT = 0x04
    JIS = 0x05
    CYRILLIC = 0x06
    LATIN_HEBREW = 0x07
    UCS2 = 0x08
    PICTOGRAM = 0x09
    ISO_2022_JP = 0x0A
    EXTENDED_KANJI_JIS = 0x0D
    KS_C_5601 = 0x0E


class EsmClass(IntFlag):
    """esm_class: the mode in bits 0-1, the type of message in bits 2-5, the GSM features in bits 6-7. §5.2.12."""

    DEFAULT = 0x00
    DATAGRAM = 0x01
    FORWARD = 0x02
    STORE_AND_FORWARD = 0x03
    RECEIPT = 0x04
    DELIVERY_ACKNOWLEDGEMENT = 0x08
    USER_ACKNOWLEDGEMENT = 0x10
    CONVERSATION_ABORT = 0x18
    INTERMEDIATE_NOTIFICATION = 0x20
    UDHI = 0x40  # the message begins with a user data header
    REPLY_PATH = 0x80


MESSAGE_TYPE: Final = 0x3C  # the bits of esm_class that tell a receipt from a text


class RegisteredDelivery(IntFlag):
    """registered_delivery. §5.2.17."""

    NONE = 0x00
    FINAL = 0x01  # a receipt on success and on failure
    FAILURE = 0x02
    DELIVERY_ACKNOWLEDGEMENT = 0x04
    USER_ACKNOWLEDGEMENT = 0x08
    INTERMEDIATE = 0x10


class MessageState(IntEnum):
    """message_state. §5.2.28; 0 and 9 are those of SMPP 5.0 and are sent by carriers on 3.4 too."""

    SCHEDULED = 0
    ENROUTE = 1
    DELIVERED = 2
    EXPIRED = 3
    DELETED = 4
    UNDELIVERABLE = 5
    ACCEPTED = 6
    UNKNOWN = 7
    REJECTED = 8
    SKIPPED = 9


class Tag(IntEnum):
    """Tags of the optional parameters. §5.3.2, table 5-7."""

    DEST_ADDR_SUBUNIT = 0x0005
    DEST_NETWORK_TYPE = 0x0006
    DEST_BEARER_TYPE = 0x0007
    DEST_TELEMATICS_ID = 0x0008
    SOURCE_ADDR_SUBUNIT = 0x000D
    SOURCE_NETWORK_TYPE = 0x000E
    SOURCE_BEARER_TYPE = 0x000F
    SOURCE_TELEMATICS_ID = 0x0010
    QOS_TIME_TO_LIVE = 0x0017
    PAYLOAD_TYPE = 0x0019
    ADDITIONAL_STATUS_INFO_TEXT = 0x001D
    RECEIPTED_MESSAGE_ID = 0x001E
    MS_MSG_WAIT_FACILITIES = 0x0030
    PRIVACY_INDICATOR = 0x0201
    SOURCE_SUBADDRESS = 0x0202
    DEST_SUBADDRESS = 0x0203
    USER_MESSAGE_REFERENCE = 0x0204
    USER_RESPONSE_CODE = 0x0205
    SOURCE_PORT = 0x020A
    DESTINATION_PORT = 0x020B
    SAR_MSG_REF_NUM = 0x020C
    LANGUAGE_INDICATOR = 0x020D
    SAR_TOTAL_SEGMENTS = 0x020E
    SAR_SEGMENT_SEQNUM = 0x020F
    SC_INTERFACE_VERSION = 0x0210
    CALLBACK_NUM_PRES_IND = 0x0302
    CALLBACK_NUM_ATAG = 0x0303
    NUMBER_OF_MESSAGES = 0x0304
    CALLBACK_NUM = 0x0381
    DPF_RESULT = 0x0420
    SET_DPF = 0x0421
    MS_AVAILABILITY_STATUS = 0x0422
    NETWORK_ERROR_CODE = 0x0423
    MESSAGE_PAYLOAD = 0x0424
    DELIVERY_FAILURE_REASON = 0x0425
    MORE_MESSAGES_TO_SEND = 0x0426
    MESSAGE_STATE = 0x0427
    USSD_SERVICE_OP = 0x0501
    DISPLAY_TIME = 0x1201
    SMS_SIGNAL = 0x1203
    MS_VALIDITY = 0x1204
    ALERT_ON_MESSAGE_DELIVERY = 0x130C
    ITS_REPLY_TYPE = 0x1380
    ITS_SESSION_INFO = 0x1383


class TlvType(Enum):
    """How the value of a TLV is written. §3.1."""

    INT = "integer"
    C_OCTETS = "C-octet string"
    OCTETS = "octet string"
    NONE = "no value"


# §5.3.2: type, least and most octets of the value.
TLVS: Final[dict[Tag, tuple[TlvType, int, int]]] = {
    Tag.DEST_ADDR_SUBUNIT: (TlvType.INT, 1, 1),
    Tag.DEST_NETWORK_TYPE: (TlvType.INT, 1, 1),
    Tag.DEST_BEARER_TYPE: (TlvType.INT, 1, 1),
    Tag.DEST_TELEMATICS_ID: (TlvType.INT, 2, 2),
    Tag.SOURCE_ADDR_SUBUNIT: (TlvType.INT, 1, 1),
    Tag.SOURCE_NETWORK_TYPE: (TlvType.INT, 1, 1),
    Tag.SOURCE_BEARER_TYPE: (TlvType.INT, 1, 1),
    Tag.SOURCE_TELEMATICS_ID: (TlvType.INT, 1, 1),
    Tag.QOS_TIME_TO_LIVE: (TlvType.INT, 4, 4),
    Tag.PAYLOAD_TYPE: (TlvType.INT, 1, 1),
    Tag.ADDITIONAL_STATUS_INFO_TEXT: (TlvType.C_OCTETS, 1, 256),
    Tag.RECEIPTED_MESSAGE_ID: (TlvType.C_OCTETS, 1, 65),
    Tag.MS_MSG_WAIT_FACILITIES: (TlvType.INT, 1, 1),
    Tag.PRIVACY_INDICATOR: (TlvType.INT, 1, 1),
    Tag.SOURCE_SUBADDRESS: (TlvType.OCTETS, 2, 23),
    Tag.DEST_SUBADDRESS: (TlvType.OCTETS, 2, 23),
    Tag.USER_MESSAGE_REFERENCE: (TlvType.INT, 2, 2),
    Tag.USER_RESPONSE_CODE: (TlvType.INT, 1, 1),
    Tag.SOURCE_PORT: (TlvType.INT, 2, 2),
    Tag.DESTINATION_PORT: (TlvType.INT, 2, 2),
    Tag.SAR_MSG_REF_NUM: (TlvType.INT, 2, 2),
    Tag.LANGUAGE_INDICATOR: (TlvType.INT, 1, 1),
    Tag.SAR_TOTAL_SEGMENTS: (TlvType.INT, 1, 1),
    Tag.SAR_SEGMENT_SEQNUM: (TlvType.INT, 1, 1),
    Tag.SC_INTERFACE_VERSION: (TlvType.INT, 1, 1),
    Tag.CALLBACK_NUM_PRES_IND: (TlvType.INT, 1, 1),
    Tag.CALLBACK_NUM_ATAG: (TlvType.OCTETS, 0, 65),
    Tag.NUMBER_OF_MESSAGES: (TlvType.INT, 1, 1),
    Tag.CALLBACK_NUM: (TlvType.OCTETS, 4, 19),
    Tag.DPF_RESULT: (TlvType.INT, 1, 1),
    Tag.SET_DPF: (TlvType.INT, 1, 1),
    Tag.MS_AVAILABILITY_STATUS: (TlvType.INT, 1, 1),
    Tag.NETWORK_ERROR_CODE: (TlvType.OCTETS, 3, 3),
    Tag.MESSAGE_PAYLOAD: (TlvType.OCTETS, 0, 65535),
    Tag.DELIVERY_FAILURE_REASON: (TlvType.INT, 1, 1),
    Tag.MORE_MESSAGES_TO_SEND: (TlvType.INT, 1, 1),
    Tag.MESSAGE_STATE: (TlvType.INT, 1, 1),
    Tag.USSD_SERVICE_OP: (TlvType.INT, 1, 1),
    Tag.DISPLAY_TIME: (TlvType.INT, 1, 1),
    Tag.SMS_SIGNAL: (TlvType.INT, 2, 2),
    Tag.MS_VALIDITY: (TlvType.INT, 1, 1),
    Tag.ALERT_ON_MESSAGE_DELIVERY: (TlvType.NONE, 0, 0),
    Tag.ITS_REPLY_TYPE: (TlvType.INT, 1, 1),
    Tag.ITS_SESSION_INFO: (TlvType.OCTETS, 2, 2),
}
