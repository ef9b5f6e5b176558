"""Records what OpenLDAP's libldap (2.5.13) sends and encodes: name, tab, hexadecimal.

The library talks to the other end of a socket pair, so what it sends can be read back."""
import ctypes as c
import json
import socket
from pathlib import Path

here = Path(__file__).parent
ldap = c.CDLL("libldap-2.5.so.0")
lber = c.CDLL("liblber-2.5.so.0")
out = []


class Berval(c.Structure):
    _fields_ = [("len", c.c_ulong), ("val", c.POINTER(c.c_char))]

    def bytes(self):
        return self.val[: self.len]


class Control(c.Structure):
    _fields_ = [("oid", c.c_char_p), ("value", Berval), ("critical", c.c_char)]


class Mod(c.Structure):
    _fields_ = [("op", c.c_int), ("type", c.c_char_p), ("values", c.POINTER(c.POINTER(Berval)))]


class Ava(c.Structure):
    _fields_ = [("attr", Berval), ("value", Berval), ("flags", c.c_uint), ("private", c.c_void_p)]


class SortKey(c.Structure):
    _fields_ = [("attribute", c.c_char_p), ("rule", c.c_char_p), ("reverse", c.c_int)]


class Vlv(c.Structure):
    _fields_ = [("version", c.c_int), ("before", c.c_int), ("after", c.c_int), ("offset", c.c_int), ("count", c.c_int),
                ("value", c.POINTER(Berval)), ("context", c.POINTER(Berval)), ("extra", c.c_void_p)]


class Deref(c.Structure):
    _fields_ = [("attribute", c.c_char_p), ("attributes", c.POINTER(c.c_char_p))]


def berval(value):
    return Berval(len(value), c.cast(c.create_string_buffer(value, len(value)), c.POINTER(c.c_char)))


def array(type, items):
    return (c.POINTER(type) * (len(items) + 1))(*[c.pointer(item) for item in items], None)


def record(name, value):
    out.append(f"{name}\t{value.hex()}")


def check(code):
    assert code == 0, code


ours, theirs = socket.socketpair()
theirs.settimeout(0.2)
ld = c.c_void_p()
check(ldap.ldap_init_fd(c.c_int(ours.detach()), 1, b"ldap://localhost", c.byref(ld)))
check(ldap.ldap_set_option(ld, 0x11, c.byref(c.c_int(3))))


def sent(name, code, *rest):
    assert code >= 0, (name, code)
    record(name, theirs.recv(65536))


id = c.byref(c.c_int())
secret = berval(b"secret")
sent("bind-simple", ldap.ldap_sasl_bind(ld, b"cn=admin,dc=example,dc=com", None, c.byref(secret), None, None, id))
token = berval(b"\0alice\0secret")
sent("bind-sasl", ldap.ldap_sasl_bind(ld, b"", b"PLAIN", c.byref(token), None, None, id))
page = Berval()
check(ldap.ldap_create_page_control_value(ld, c.c_int(500), c.byref(berval(b"cookie")), c.byref(page)))
controls = array(Control, [Control(b"1.2.840.113556.1.4.319", page, b"\1"), Control(b"2.16.840.1.113730.3.4.2", Berval(), b"\0")])
names = (c.c_char_p * 4)(b"cn", b"*", b"+", None)
time_limit = (c.c_long * 2)(30, 0)
sent("search", ldap.ldap_search_ext(ld, b"dc=example,dc=com", 2, b"(&(uid=a*)(!(cn=b)))", names, 1, controls, None, time_limit, 100, id))
values = lambda *v: array(Berval, [berval(x) for x in v])
mods = array(Mod, [Mod(0x80, b"a", values(b"1", b"2")), Mod(0x81, b"b", None), Mod(0x82, b"c", values(b"3")), Mod(0x83, b"d", values(b"1"))])
sent("modify", ldap.ldap_modify_ext(ld, b"cn=x", mods, None, None, id))
attributes = array(Mod, [Mod(0x80, b"objectClass", values(b"top", b"person")), Mod(0x80, b"sn", values(b"s"))])
sent("add", ldap.ldap_add_ext(ld, b"cn=x", attributes, None, None, id))
sent("delete", ldap.ldap_delete_ext(ld, b"cn=x", None, None, id))
sent("modify-dn", ldap.ldap_rename(ld, b"cn=x,o=a", b"cn=y", b"o=b", 1, None, None, id))
sent("compare", ldap.ldap_compare_ext(ld, b"cn=x", b"sn", c.byref(berval(b"s")), None, None, id))
sent("abandon", ldap.ldap_abandon_ext(ld, 3, None, None))
sent("password-modify", ldap.ldap_passwd(ld, c.byref(berval(b"cn=x")), c.byref(berval(b"old")), c.byref(berval(b"new")), None, None, id))
sent("who-am-i", ldap.ldap_whoami(ld, None, None, id))
sent("start-tls", ldap.ldap_extended_operation(ld, b"1.3.6.1.4.1.1466.20037", None, None, None, id))
sent("cancel", ldap.ldap_cancel(ld, 300, None, None, id))
sent("unbind", ldap.ldap_unbind_ext(ld, None, None))

ld = c.c_void_p()
check(ldap.ldap_initialize(c.byref(ld), b"ldap://localhost"))
check(ldap.ldap_set_option(ld, 0x11, c.byref(c.c_int(3))))


def value(name, function, *arguments):
    v = Berval()
    check(getattr(ldap, function)(ld, *arguments, c.byref(v)))
    record(name, v.bytes())


value("control-paged", "ldap_create_page_control_value", c.c_int(500), c.byref(berval(b"cookie")))
value("control-sort", "ldap_create_sort_control_value", array(SortKey, [SortKey(b"sn", None, 0), SortKey(b"cn", b"2.5.13.3", 1)]))
value("control-vlv-offset", "ldap_create_vlv_control_value", c.byref(Vlv(1, 2, 3, 4, 500, None, c.pointer(berval(b"ctx")), None)))
value("control-vlv-value", "ldap_create_vlv_control_value", c.byref(Vlv(1, 2, 3, 0, 0, c.pointer(berval(b"m")), None, None)))
value("control-assertion", "ldap_create_assertion_control_value", b"(cn=x)")
deref = (Deref * 3)(Deref(b"member", (c.c_char_p * 3)(b"uid", b"cn", None)), Deref(b"memberOf", (c.c_char_p * 2)(b"cn", None)))
value("control-deref", "ldap_create_deref_control_value", deref)

lber.ber_alloc_t.restype = c.c_void_p
for text in (here / "filters.txt").read_text().splitlines():
    ber = c.c_void_p(lber.ber_alloc_t(1))
    if ldap.ldap_pvt_put_filter(ber, c.create_string_buffer(text.encode())) != 0:
        print("not recorded:", text)
        continue
    v = c.POINTER(Berval)()
    check(lber.ber_flatten(ber, c.byref(v)))
    record(text, v.contents.bytes())
(here / "libldap.tsv").write_text("\n".join(out) + "\n")

out = []
for text in (here / "dns.txt").read_text().splitlines():
    dn = c.POINTER(c.POINTER(c.POINTER(Ava)))()
    check(ldap.ldap_str2dn(text.encode(), c.byref(dn), 0x0010))
    rdns, i = [], 0
    while dn and dn[i]:
        rdn, j = [], 0
        while dn[i][j]:
            ava = dn[i][j].contents
            rdn.append(f"{ava.attr.bytes().decode()}={ava.value.bytes().hex()}")
            j += 1
        rdns.append("+".join(rdn))
        i += 1
    out.append(f"{text}\t{','.join(rdns)}")
(here / "libldap-dns.tsv").write_text("\n".join(out) + "\n")
