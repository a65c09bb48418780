"""Languages and countries by their codes: which exist, what they are called, how Twilio names them.

Codes and names only. Words and replies of a language are data of the `packs` package.
"""

import re

# Twilio's Advanced Opt-Out catalogue: 41 names. MALAY and MALAYSIAN are one language there and here.
TWILIO_LANGUAGES = {
    "AFRIKAANS": "af", "ARABIC": "ar", "BENGALI": "bn", "CHINESE": "zh", "CROATIAN": "hr", "CZECH": "cs",
    "DANISH": "da", "DUTCH": "nl", "ENGLISH": "en", "ESTONIAN": "et", "FINNISH": "fi", "FRENCH": "fr",
    "GERMAN": "de", "GREEK": "el", "HEBREW": "he", "HINDI": "hi", "HUNGARIAN": "hu", "ITALIAN": "it",
    "JAPANESE": "ja", "KOREAN": "ko", "LATVIAN": "lv", "LITHUANIAN": "lt", "MALAY": "ms", "MALAYSIAN": "ms",
    "NORWEGIAN": "nb", "POLISH": "pl", "PORTUGUESE": "pt", "RUSSIAN": "ru", "SLOVAK": "sk", "SLOVENE": "sl",
    "SPANISH": "es", "SOUTHERN_NDEBELE": "nr", "SOUTHERN_SOTHO": "st", "SWATI": "ss", "SWEDISH": "sv",
    "TAMIL": "ta", "TSWANA": "tn", "TSONGA": "ts", "VENDA": "ve", "XHOSA": "xh", "ZULU": "zu",
}  # fmt: skip

# Names for sentences. A language without one here is called by its code.
LANGUAGE_NAMES = {code: name.replace("_", " ").title() for name, code in TWILIO_LANGUAGES.items()} | {
    "az": "Azerbaijani", "bg": "Bulgarian", "ca": "Catalan", "fa": "Persian", "ht": "Haitian Creole",
    "id": "Indonesian", "ms": "Malay", "no": "Norwegian", "ro": "Romanian", "sr": "Serbian", "sw": "Swahili",
    "th": "Thai", "tl": "Tagalog", "tr": "Turkish", "uk": "Ukrainian", "ur": "Urdu", "vi": "Vietnamese",
}  # fmt: skip

# ISO 639-1, and `fil` and `yue`, which people write where 639-1 has no code of its own.
_ISO_639_1 = """
    aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee
    el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it
    iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my
    na nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn
    so sq sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu
    fil yue
"""
LANGUAGES = frozenset(_ISO_639_1.split())

# ISO 3166-1 alpha-2, and AC, TA and XK, which numbering plans use beside it.
_ISO_3166_1 = """
    AC AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW
    BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK
    FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS
    IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM
    MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS
    PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TA TC TD TF TG TH TJ
    TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW
"""
COUNTRIES = frozenset(_ISO_3166_1.split())

# language [-Script] [-REGION], the part of BCP 47 that opt-out settings need.
_TAG = re.compile(r"([a-z]{2,3})(?:-([a-z]{4}))?(?:-([a-z]{2}|[0-9]{3}))?")


def language_tag(name: str) -> str | None:
    """The BCP 47 tag `name` stands for, in its usual case: `SPANISH` is `es`, `PT-br` is `pt-BR`. None if unknown."""
    if code := TWILIO_LANGUAGES.get(name.strip().upper().replace(" ", "_")):
        return code
    parts = _TAG.fullmatch(name.strip().lower().replace("_", "-"))
    if parts is None or parts[1] not in LANGUAGES:
        return None
    script, region = (parts[2] or "").title(), (parts[3] or "").upper()
    if region.isalpha() and region not in COUNTRIES:
        return None
    return "-".join(part for part in (parts[1], script, region) if part)


def country_code(name: str) -> str | None:
    """The ISO 3166 alpha-2 code `name` stands for, in capitals; None if there is no such country."""
    code = name.strip().upper()
    return code if code in COUNTRIES else None


def language_name(tag: str) -> str:
    """What to call the language in a sentence: `French`, `Portuguese (BR)`, or the tag itself."""
    primary, _, rest = tag.partition("-")
    name = LANGUAGE_NAMES.get(primary)
    if name is None:
        return tag
    return f"{name} ({rest})" if rest else name
