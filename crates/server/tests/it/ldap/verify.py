"""What OpenLDAP's library is told of credentials it has verified: prints "done" when all is as expected.

Its tool for this, ldapvc, is in no package of Debian 12; the functions are.
"""

import ctypes
import sys

plain, tls, start_tls, ldapi, certificate, suffix, admin, password = sys.argv[1:]

SIMPLE = None
TLS_CACERTFILE, PROTOCOL_VERSION, TLS_NEWCTX = 0x6002, 0x11, 0x600F
PASSWORD_POLICY = b"1.3.6.1.4.1.42.2.27.8.5.1"
SUCCESS, UNAVAILABLE, WRONG, UNWILLING, NOT_SUPPORTED = 0, 12, 49, 53, 7


def library():
    for name in ("libldap-2.5.so.0", "libldap.so.2"):
        try:
            return ctypes.CDLL(name)
        except OSError:
            pass
    sys.exit("this test needs libldap (package ldap-utils)")


class Octets(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ulong), ("bytes", ctypes.c_char_p)]


class Control(ctypes.Structure):
    _fields_ = [("oid", ctypes.c_char_p), ("value", Octets), ("critical", ctypes.c_char)]


libldap = library()


def check(code, what):
    assert code == 0, (what, code)


def opened(url):
    handle = ctypes.c_void_p()
    check(libldap.ldap_initialize(ctypes.byref(handle), url.encode()), url)
    version, server_only = ctypes.c_int(3), ctypes.c_int(0)
    check(libldap.ldap_set_option(handle, PROTOCOL_VERSION, ctypes.byref(version)), "version")
    check(libldap.ldap_set_option(handle, TLS_CACERTFILE, certificate.encode()), "certificate")
    check(libldap.ldap_set_option(handle, TLS_NEWCTX, ctypes.byref(server_only)), "TLS")
    return handle


def who(handle):
    told = ctypes.POINTER(Octets)()
    check(libldap.ldap_whoami_s(handle, ctypes.byref(told), None, None), "whoami")
    return told.contents.bytes[: told.contents.length].decode()


def verified(handle, name, secret, mechanism=SIMPLE, control=None, critical=False):
    """The result for a name and a password, and the types of the controls beside it."""
    asked = None
    if control:
        one = Control(control, Octets(0, None), b"\1" if critical else b"\0")
        asked = (ctypes.POINTER(Control) * 2)(ctypes.pointer(one), None)
    secret, number = Octets(len(secret), secret.encode()), ctypes.c_int()
    sent = libldap.ldap_verify_credentials(
        handle, None, name.encode(), mechanism, ctypes.byref(secret), asked, None, None, ctypes.byref(number)
    )
    check(sent, "send")
    answer, code, words = ctypes.c_void_p(), ctypes.c_int(-1), ctypes.c_char_p()
    cookie, credentials = ctypes.POINTER(Octets)(), ctypes.POINTER(Octets)()
    controls = ctypes.POINTER(ctypes.POINTER(Control))()
    assert libldap.ldap_result(handle, number, 1, None, ctypes.byref(answer)) == 0x78
    outer = ctypes.c_int(-1)
    check(libldap.ldap_parse_result(handle, answer, ctypes.byref(outer), None, None, None, None, 0), "result")
    check(outer.value, "the operation")
    parsed = libldap.ldap_parse_verify_credentials(
        handle, answer, ctypes.byref(code), ctypes.byref(words), ctypes.byref(cookie), ctypes.byref(credentials),
        ctypes.byref(controls),
    )
    check(parsed, "parse")
    assert not cookie and not credentials
    types = []
    while controls and controls[len(types)]:
        types.append(controls[len(types)].contents.oid)
    return code.value, types


alice = "uid=alice,ou=people," + suffix
setup = opened(plain)
secret = Octets(len(password), password.encode())
check(libldap.ldap_sasl_bind_s(setup, admin.encode(), None, ctypes.byref(secret), None, None, None), "bind")


class Change(ctypes.Structure):
    _fields_ = [("op", ctypes.c_int), ("type", ctypes.c_char_p), ("values", ctypes.POINTER(ctypes.c_char_p))]


def add(name, attributes):
    changes = [Change(0, key.encode(), (ctypes.c_char_p * 2)(value.encode(), None)) for key, value in attributes]
    listed = (ctypes.POINTER(Change) * (len(changes) + 1))(*[ctypes.pointer(change) for change in changes], None)
    check(libldap.ldap_add_ext_s(setup, name.encode(), listed, None, None), name)


add("ou=people," + suffix, [("objectClass", "organizationalUnit"), ("ou", "people")])
add(alice, [("objectClass", "inetOrgPerson"), ("uid", "alice"), ("cn", "Alice"), ("sn", "Liddell"), ("userPassword", "drink me")])

nobody, local = opened(tls), opened("ldapi://" + ldapi.replace("/", "%2f"))
for handle, name in ((setup, "dn:" + admin), (nobody, ""), (local, "")):
    assert verified(handle, alice, "drink me") == (SUCCESS, [])
    assert verified(handle, alice, "eat me") == (WRONG, [])
    assert verified(handle, "uid=dinah,ou=people," + suffix, "drink me") == (WRONG, [])
    assert verified(handle, admin, password) == (SUCCESS, [])
    assert verified(handle, alice, "") == (UNWILLING, [])
    assert verified(handle, alice, "drink me", mechanism=b"PLAIN") == (NOT_SUPPORTED, [])
    assert verified(handle, alice, "drink me", control=PASSWORD_POLICY) == (SUCCESS, [PASSWORD_POLICY])
    assert verified(handle, alice, "drink me", control=b"1.2.3.4", critical=True) == (UNAVAILABLE, [])
    # Whoever asks stays who it is.
    assert who(handle) == name, who(handle)

print("done")
