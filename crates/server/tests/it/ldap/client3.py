"""What the library ldap3 makes of a node: prints "done" when all is as expected."""

import ssl
import sys
from datetime import datetime

from ldap3 import (
    ALL, ALL_ATTRIBUTES, ALL_OPERATIONAL_ATTRIBUTES, AUTO_BIND_NO_TLS, AUTO_BIND_TLS_BEFORE_BIND, BASE, EXTERNAL,
    HASHED_SALTED_SHA512, LEVEL, MODIFY_ADD, MODIFY_DELETE, MODIFY_INCREMENT, MODIFY_REPLACE, PLAIN, SASL, SUBTREE,
    Connection, ObjectDef, Reader, Server, Tls, Writer,
)
from ldap3.core.exceptions import LDAPInvalidCredentialsResult, LDAPNoSuchObjectResult
from ldap3.utils.conv import escape_filter_chars
from ldap3.utils.hashed import hashed

plain, tls, start_tls, ldapi, certificate, suffix, admin, password = sys.argv[1:]
people = "ou=people," + suffix


def verified():
    return Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=certificate)


def same(found, expected):
    assert found == expected, (found, expected)


# Every way to connect.
for url, automatic in ((tls, AUTO_BIND_NO_TLS), (start_tls, AUTO_BIND_TLS_BEFORE_BIND)):
    with Connection(Server(url, tls=verified(), get_info=ALL), admin, password, auto_bind=automatic) as protected:
        assert protected.tls_started or protected.server.ssl
        same(protected.extend.standard.who_am_i(), "dn:" + admin)
with Connection(
    Server(tls, tls=verified()), authentication=SASL, sasl_mechanism=PLAIN, sasl_credentials=(None, "dn:" + admin, password),
    auto_bind=True,
) as protected:
    same(protected.extend.standard.who_am_i(), "dn:" + admin)
with Connection(
    Server("ldapi://" + ldapi.replace("/", "%2f")), authentication=SASL, sasl_mechanism=EXTERNAL, sasl_credentials="", auto_bind=True
) as local:
    assert "cn=external,cn=auth" in local.extend.standard.who_am_i()

# Server information and the schema, by which the library forms values and checks what it sends.
server = Server(plain, get_info=ALL)
try:
    Connection(server, admin, "wrong", auto_bind=True, raise_exceptions=True)
    raise AssertionError("a wrong password was accepted")
except LDAPInvalidCredentialsResult:
    pass
connection = Connection(server, admin, password, auto_bind=True, raise_exceptions=True)
assert suffix in server.info.naming_contexts, server.info.naming_contexts
assert "3" in [str(version) for version in server.info.supported_ldap_versions]
same(server.schema.attribute_types["uidNumber"].single_value, True)
assert "sn" in server.schema.object_classes["person"].must_contain

# Writes.
connection.add(people, "organizationalUnit")
for number in range(60):
    connection.add(
        "uid=user%02d,%s" % (number, people),
        ["top", "inetOrgPerson", "posixAccount"],
        {
            "cn": "Nutzer (%d)" % number,
            "sn": "Grün",
            "uidNumber": 2000 + number,
            "gidNumber": 100,
            "homeDirectory": "/home/user%02d" % number,
            "jpegPhoto": bytes(range(256)),
            "userPassword": hashed(HASHED_SALTED_SHA512, "geheim"),
        },
    )
dn = "uid=user07," + people
connection.modify(
    dn,
    {
        "mail": [(MODIFY_ADD, ["a@example.com", "b@example.com"])],
        "sn": [(MODIFY_REPLACE, ["Blau"])],
        "jpegPhoto": [(MODIFY_DELETE, [])],
        "uidNumber": [(MODIFY_INCREMENT, [5])],
    },
)

# Searches, with values formed by the schema.
assert connection.search(people, "(uid=user07)", SUBTREE, attributes=[ALL_ATTRIBUTES, ALL_OPERATIONAL_ATTRIBUTES])
(entry,) = connection.entries
same(entry.entry_dn, dn)
same(entry.sn.value, "Blau")
same(sorted(entry.mail.values), ["a@example.com", "b@example.com"])
same(entry.uidNumber.value, 2012)
assert "jpegPhoto" not in entry
assert isinstance(entry.createTimestamp.value, datetime) and entry.entryUUID.value
same(entry.creatorsName.value, admin)
assert connection.search(people, "(cn=%s)" % escape_filter_chars("nutzer (9)"), attributes=["uid", "jpegPhoto"])
same(connection.entries[0].uid.value, "user09")
same(connection.entries[0].jpegPhoto.value, bytes(range(256)))
assert connection.search(people, "(&(uidNumber>=2055)(!(uid=user59)))", LEVEL, attributes=["uid"])
same(sorted(e.uid.value for e in connection.entries), ["user55", "user56", "user57", "user58"])
assert connection.search(people, "(objectClass=*)", BASE, attributes=["ou"], types_only=True)
paged = connection.extend.standard.paged_search(people, "(uid=*)", attributes=["uid"], paged_size=25, generator=True)
same(len({found["attributes"]["uid"][0] for found in paged}), 60)
assert connection.compare(dn, "mail", "A@example.com")
assert not connection.compare(dn, "mail", "c@example.com")

# The library's objects: a reader, and a writer that sends what has changed.
definition = ObjectDef(["inetOrgPerson", "posixAccount"], connection)
reader = Reader(connection, definition, people, "uid: user01;user02")
same(len(reader.search()), 2)
writer = Writer.from_cursor(reader)
writer[0].title = "Chief"
writer[1].title += ["One", "Two"]
assert writer.commit()
same(sorted(reader.search_object(writer[1].entry_dn).title.values), ["One", "Two"])

# Passwords, names, groups, and what is refused.
with Connection(plain, "uid=user03," + people, "geheim", auto_bind=True) as user:
    same(user.extend.standard.who_am_i(), "dn:uid=user03," + people)
    assert user.extend.standard.modify_password(old_password="geheim", new_password="neu und besser")
    assert not user.delete("uid=user04," + people)
    same(user.result["description"], "insufficientAccessRights")
with Connection(plain, "uid=user03," + people, "neu und besser", auto_bind=True):
    pass
assert connection.extend.standard.modify_password("uid=user04," + people)
connection.modify_dn("uid=user05," + people, "uid=renamed", delete_old_dn=True)
assert connection.search(people, "(uid=renamed)", attributes=["uid"])
same(connection.entries[0].uid.values, ["renamed"])
connection.add("ou=groups," + suffix, "organizationalUnit")
group = "cn=crew,ou=groups," + suffix
connection.add(group, "groupOfNames", {"member": "uid=user06," + people})
assert connection.search(group, "(member=uid=user06,%s)" % people, BASE)
try:
    connection.search("ou=nowhere," + suffix, "(objectClass=*)", BASE)
    raise AssertionError("an entry that is not there was found")
except LDAPNoSuchObjectResult:
    pass
connection.delete(group)
connection.unbind()

print("done")
