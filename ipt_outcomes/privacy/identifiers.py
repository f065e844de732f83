"""Headings that promise an identifier (rule L2), in several languages."""

from __future__ import annotations

import re
import unicodedata

# What HIPAA's Safe Harbor lists (45 CFR 164.514(b)(2)), by the words headings use for it. English, German,
# French, Spanish, Italian, Dutch, Portuguese; without accents.
_ALWAYS = {
    "a name": "surname firstname lastname forename middlename fullname givenname familyname maidenname nachname "
    "vorname familienname geburtsname prenom nomfamille apellido apellidos nombre nombres cognome voornaam achternaam "
    "sobrenome username",
    "a date of birth": "dob birthdate birthday dateofbirth birthdt brthdtc geburtsdatum gebdat geburtstag "
    "datenaissance naissance fechanacimiento nacimiento datanascita nascita geboortedatum nascimento datanascimento",
    "a record or insurance number": "mrn nhsno nhsnumber nhs ssn socialsecurity socialsecuritynumber nino "
    "nationalinsurance chinumber hospitalnumber hospno recordnumber medicalrecord versichertennummer "
    "krankenversicherungsnummer patientennummer sozialversicherungsnummer nss numsecu bsn codicefiscale cpf dni",
    "an address": "postcode zipcode postalcode plz postleitzahl codepostal codigopostal street strasse adresse "
    "direccion indirizzo adres endereco wohnort",
    "a telephone or fax number": "telephone telefon telefono telefoon telefone handy handynummer mobilenumber "
    "phonenumber phoneno phonenumbers fax faxnumber portable",
    "an e-mail or web address": "email emailaddress mailaddress courriel correo ipaddress ipadresse url homepage "
    "website",
    "an account, licence or device number": "licenceplate licenseplate numberplate deviceid serialnumber iban "
    "accountnumber passport passportnumber driverslicence driverslicense",
    "a photograph": "photo photograph picture foto",
}
# Words that promise an identifier only where nothing else stands beside them: "homework name" is none.
_ALONE = {
    "a name": "name names initials nom naam nome initialen",
    "a date of birth": "birth born geburt geboren",
    "an address": "address addr zip town city village ort stadt ville ciudad citta woonplaats",
    "a telephone or fax number": "phone mobile cell tel",
    "an e-mail or web address": "mail ip web",
    "an account, licence or device number": "account licence license device",
}
_BESIDE = frozenset(
    word
    for words in (
        "patient patients person client clients participant subject pt therapist therapists clinician doctor gp",
        "mother mothers father fathers partner partners parent relative next kin carer employer contact emergency",
        "first last middle full given family own home work mobile private number no nr num line text code id",
        "date day month year of the de la der des du da del 1 2 3",
    )
    for word in words.split()
)
_WORDS = {word: kind for kind, words in _ALWAYS.items() for word in words.split()}
_WEAK = {word: kind for kind, words in _ALONE.items() for word in words.split()}


def identifier_in(heading: str) -> str | None:
    """Say what identifier a heading promises.

    Parameters
    ----------
    heading : str
        Name of a column.

    Returns
    -------
    str or None
        In words: ``"a name"``; None where the heading promises none. Values are looked at elsewhere.

    Examples
    --------
    >>> identifier_in("Date of Birth"), identifier_in("geburtsdatum"), identifier_in("homework_name")
    ('a date of birth', 'a date of birth', None)
    """
    plain = "".join(c for c in unicodedata.normalize("NFKD", heading) if not unicodedata.combining(c))
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", plain.replace("ß", "ss"))
    words = [word.rstrip("0123456789") or word for word in re.split(r"[^a-z0-9]+", spaced.casefold()) if word]
    pairs = ["".join(words[i : i + n]) for n in (1, 2, 3) for i in range(len(words) - n + 1)]
    strong = next((_WORDS[pair] for pair in pairs if pair in _WORDS), None)
    if strong is not None:
        return strong
    weak = next((_WEAK[word] for word in words if word in _WEAK), None)
    return weak if weak is not None and all(word in _WEAK or word in _BESIDE for word in words) else None
