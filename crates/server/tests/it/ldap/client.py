"""What python-ldap makes of a node: prints "done" when all is as expected."""

import sys

import ldap
import ldap.modlist
import ldap.sasl
import ldap.schema
from ldap.controls import SimplePagedResultsControl
from ldap.controls.readentry import PostReadControl

plain, tls, start_tls, ldapi, certificate, suffix, admin, password = sys.argv[1:]
people = "ou=people," + suffix


def protected(url, start):
    connection = ldap.initialize(url)
    connection.set_option(ldap.OPT_X_TLS_CACERTFILE, certificate)
    connection.set_option(ldap.OPT_X_TLS_NEWCTX, 0)
    if start:
        connection.start_tls_s()
    return connection


for connection in (protected(tls, False), protected(start_tls, True)):
    connection.simple_bind_s(admin, password)
    assert connection.whoami_s() == "dn:" + admin
    connection.unbind_s()

local = ldap.initialize("ldapi://" + ldapi.replace("/", "%2f"))
local.sasl_interactive_bind_s("", ldap.sasl.external())
assert local.whoami_s().startswith("dn:") and "cn=external,cn=auth" in local.whoami_s()

connection = ldap.initialize(plain)
try:
    connection.simple_bind_s(admin, "wrong")
    raise AssertionError("a wrong password was accepted")
except ldap.INVALID_CREDENTIALS:
    pass
connection.simple_bind_s(admin, password)

connection.add_s(people, [("objectClass", [b"organizationalUnit"]), ("ou", [b"people"])])
for number in range(60):
    name = "user%02d" % number
    connection.add_s(
        "uid=%s,%s" % (name, people),
        ldap.modlist.addModlist(
            {
                "objectClass": [b"inetOrgPerson"],
                "uid": [name.encode()],
                "cn": [("Nutzer %d" % number).encode()],
                "sn": ["Grün".encode()],
                "jpegPhoto": [bytes(range(256))],
            }
        ),
    )

found = connection.search_s(people, ldap.SCOPE_SUBTREE, "(uid=user07)")
assert len(found) == 1, found
dn, entry = found[0]
assert dn == "uid=user07," + people
assert entry["sn"] == ["Grün".encode()] and entry["jpegPhoto"] == [bytes(range(256))]

# Paged, as libraries page.
pages, names, control = 0, [], SimplePagedResultsControl(True, size=25, cookie="")
while True:
    message = connection.search_ext(people, ldap.SCOPE_ONELEVEL, "(uid=*)", ["uid"], serverctrls=[control])
    _, data, _, controls = connection.result3(message)
    pages += 1
    names += [entry["uid"][0] for _, entry in data]
    control.cookie = [c for c in controls if c.controlType == SimplePagedResultsControl.controlType][0].cookie
    if not control.cookie:
        break
assert pages == 3 and len(set(names)) == 60, (pages, len(names))

# Several requests under way, answered by their numbers.
messages = [connection.search(people, ldap.SCOPE_SUBTREE, "(uid=user%02d)" % n, ["cn"]) for n in range(20)]
for number in reversed(range(20)):
    _, data = connection.result(messages[number])
    assert data[0][1]["cn"] == [("Nutzer %d" % number).encode()]
long = connection.search(suffix, ldap.SCOPE_SUBTREE, "(objectClass=*)")
connection.abandon(long)

dn = "uid=user01," + people
connection.modify_s(dn, [(ldap.MOD_ADD, "mail", [b"a@example.com"]), (ldap.MOD_REPLACE, "cn", [b"Another"])])
assert connection.compare_s(dn, "mail", b"A@example.com")
assert not connection.compare_s(dn, "mail", b"b@example.com")
message = connection.modify_ext(
    dn, [(ldap.MOD_REPLACE, "description", [b"new"])], serverctrls=[PostReadControl(attrList=["description"])]
)
_, _, _, controls = connection.result3(message)
assert controls[0].entry["description"] in ([b"new"], ["new"]), controls[0].entry
connection.rename_s(dn, "uid=renamed", delold=1)
assert connection.search_s(people, ldap.SCOPE_SUBTREE, "(uid=renamed)", ["1.1"])[0][0] == "uid=renamed," + people
connection.passwd_s("uid=renamed," + people, None, "changed")
other = ldap.initialize(plain)
other.simple_bind_s("uid=renamed," + people, "changed")
for operation, error in (
    (lambda: connection.search_s("ou=nowhere," + suffix, ldap.SCOPE_BASE), ldap.NO_SUCH_OBJECT),
    (lambda: connection.delete_s(people), ldap.NOT_ALLOWED_ON_NONLEAF),
    (lambda: connection.search_s(suffix, ldap.SCOPE_SUBTREE, "(&(uid=x)"), ldap.FILTER_ERROR),
    (lambda: other.delete_s("uid=user02," + people), ldap.INSUFFICIENT_ACCESS),
):
    try:
        operation()
        raise AssertionError(error)
    except error:
        pass

connection.delete_s("uid=user03," + people)
assert connection.search_s(people, ldap.SCOPE_SUBTREE, "(uid=user03)", ["1.1"]) == []

# The published schema, as the library reads it.
subentry = connection.search_subschemasubentry_s(suffix)
schema = ldap.schema.SubSchema(connection.read_subschemasubentry_s(subentry))
person = schema.get_obj(ldap.schema.ObjectClass, "inetOrgPerson")
assert person and "sn" in schema.attribute_types(["inetOrgPerson"])[0][schema.getoid(ldap.schema.AttributeType, "sn")].names
assert schema.get_obj(ldap.schema.AttributeType, "uidNumber").single_value

print("done")
