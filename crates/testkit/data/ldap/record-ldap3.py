"""Records what the Python library ldap3 (2.9.1, with pyasn1) encodes: name, tab, hexadecimal."""
from pathlib import Path

from ldap3.operation.add import add_operation
from ldap3.operation.bind import bind_operation
from ldap3.operation.compare import compare_operation
from ldap3.operation.delete import delete_operation
from ldap3.operation.abandon import abandon_operation
from ldap3.operation.extended import extended_operation
from ldap3.operation.modify import modify_operation
from ldap3.operation.modifyDn import modify_dn_operation
from ldap3.operation.search import compile_filter, parse_filter, search_operation
from ldap3.operation.unbind import unbind_operation
from ldap3.protocol.controls import build_control
from ldap3.protocol.convert import build_controls_list
from ldap3.protocol.rfc2696 import paged_search_control
from ldap3.protocol.rfc3062 import PasswdModifyRequestValue, UserIdentity, OldPasswd, NewPasswd
from ldap3.protocol.rfc4511 import *
from ldap3.protocol.persistentSearch import *
from ldap3.utils.asn1 import encode

here = Path(__file__).parent
out = []


def record(name, value):
    out.append(f"{name}\t{value.hex()}")


def message(name, kind, op, controls=None, id=7):
    m = LDAPMessage()
    m["messageID"] = MessageID(id)
    m["protocolOp"] = ProtocolOp().setComponentByName(kind, op)
    controls = build_controls_list(controls)
    if controls is not None:
        m["controls"] = controls
    record(name, encode(m))


def result(cls, code, matched, text, referral=None):
    r = cls()
    r["resultCode"] = ResultCode(code)
    r["matchedDN"] = LDAPDN(matched)
    r["diagnosticMessage"] = LDAPString(text)
    if referral:
        uris = Referral()
        for i, uri in enumerate(referral):
            uris[i] = URI(uri)
        r["referral"] = uris
    return r


message("bind-simple", "bindRequest", bind_operation(3, "SIMPLE", "cn=admin,dc=example,dc=com", "secret"))
message("bind-anonymous", "bindRequest", bind_operation(3, "ANONYMOUS", ""))
sasl = BindRequest()
sasl["version"] = Version(3)
sasl["name"] = LDAPDN("")
credentials = SaslCredentials()
credentials["mechanism"] = LDAPString("PLAIN")
credentials["credentials"] = Credentials(b"\0alice\0secret")
sasl["authentication"] = AuthenticationChoice().setComponentByName("sasl", credentials)
message("bind-sasl", "bindRequest", sasl)
message("unbind", "unbindRequest", unbind_operation())
search = search_operation("dc=example,dc=com", "(&(uid=a*)(!(cn=b)))", 2, 3, ["cn", "*", "+"], 100, 30, True, False, False)
message("search", "searchRequest", search, [paged_search_control(True, 500, b"cookie"), ("2.16.840.1.113730.3.4.2", False, None)])
message("modify", "modifyRequest", modify_operation("cn=x", {"a": [("MODIFY_ADD", ["1", "2"])], "b": [("MODIFY_DELETE", [])], "c": [("MODIFY_REPLACE", ["3"])], "d": [("MODIFY_INCREMENT", ["1"])]}, False))
message("add", "addRequest", add_operation("cn=x", {"objectClass": ["top", "person"], "sn": ["s"]}, False))
message("delete", "delRequest", delete_operation("cn=x"))
message("modify-dn", "modDNRequest", modify_dn_operation("cn=x,o=a", "cn=y", True, "o=b"))
message("compare", "compareRequest", compare_operation("cn=x", "sn", "s", False))
message("abandon", "abandonRequest", abandon_operation(300))
passwords = PasswdModifyRequestValue()
passwords["userIdentity"] = UserIdentity("cn=x")
passwords["oldPasswd"] = OldPasswd("old")
passwords["newPasswd"] = NewPasswd("new")
message("password-modify", "extendedReq", extended_operation("1.3.6.1.4.1.4203.1.11.1", passwords))
message("start-tls", "extendedReq", extended_operation("1.3.6.1.4.1.1466.20037"))

bound = result(BindResponse, 14, "", "more")
bound["serverSaslCreds"] = ServerSaslCreds(b"challenge")
message("bind-response", "bindResponse", bound)
entry = SearchResultEntry()
entry["object"] = LDAPDN("cn=x")
attributes = PartialAttributeList()
for i, (name, values) in enumerate([("cn", [b"x", b"\xff\0"]), ("sn", [])]):
    attribute = PartialAttribute()
    attribute["type"] = AttributeDescription(name)
    attribute["vals"] = Vals()
    for j, value in enumerate(values):
        attribute["vals"][j] = AttributeValue(value)
    attributes[i] = attribute
entry["attributes"] = attributes
message("search-entry", "searchResEntry", entry)
reference = SearchResultReference()
reference[0] = URI("ldap://a/cn=x??sub")
reference[1] = URI("ldap://b/")
message("search-reference", "searchResRef", reference)
message("search-done", "searchResDone", result(SearchResultDone, 10, "dc=com", "there", ["ldap://a/", "ldap://b/"]))
message("modify-response", "modifyResponse", result(ModifyResponse, 0, "", ""))
message("add-response", "addResponse", result(AddResponse, 68, "cn=x", "exists"))
message("delete-response", "delResponse", result(DelResponse, 66, "", ""))
message("modify-dn-response", "modDNResponse", result(ModifyDNResponse, 32, "dc=com", ""))
message("compare-response", "compareResponse", result(CompareResponse, 6, "", ""))
extended = result(ExtendedResponse, 52, "", "bye")
extended["responseName"] = ResponseName("1.3.6.1.4.1.1466.20036")
extended["responseValue"] = ResponseValue(b"v")
message("extended-response", "extendedResp", extended, id=0)
between = IntermediateResponse()
between["responseName"] = IntermediateResponseName("1.3.6.1.4.1.4203.1.9.1.4")
between["responseValue"] = IntermediateResponseValue(b"\xa1\0")
message("intermediate", "intermediateResponse", between)

for text in (here / "filters.txt").read_text().splitlines():
    # The library refuses these, although RFC 4526 has them.
    if text in ("(&)", "(|)"):
        continue
    try:
        record(text, encode(compile_filter(parse_filter(text, None, False, False, None, False).elements[0])))
    except Exception as error:
        print("not recorded:", text, error)
(here / "ldap3.tsv").write_text("\n".join(out) + "\n")
