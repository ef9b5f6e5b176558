# What Net::LDAP makes of a node: prints "done" when all is as expected.
use strict;
use warnings;

use Net::LDAP;
use Net::LDAP::Constant qw(LDAP_COMPARE_TRUE LDAP_CONTROL_PAGED LDAP_EXTENSION_START_TLS LDAP_INSUFFICIENT_ACCESS
    LDAP_INVALID_CREDENTIALS LDAP_NO_SUCH_OBJECT);
use Net::LDAP::Control::Paged;
use Net::LDAP::Control::Sort;
use Net::LDAP::Extension::SetPassword;
use Net::LDAP::Extension::WhoAmI;
use Net::LDAP::LDIF;
use Net::LDAP::Schema;

my ($plain, $tls, $start_tls, $ldapi, $certificate, $suffix, $admin, $password) = @ARGV;
my $people = "ou=people,$suffix";

sub fine {
    my ($message, $what) = @_;
    die "$what: " . $message->error . "\n" if $message->code;
    return $message;
}

my %trust = (verify => 'require', cafile => $certificate);
my $secure = Net::LDAP->new($tls, %trust) or die "ldaps: $@\n";
fine($secure->bind($admin, password => $password), 'bind by ldaps');
fine($secure->unbind, 'unbind');
$secure = Net::LDAP->new($start_tls) or die "ldap: $@\n";
fine($secure->start_tls(%trust), 'StartTLS');
fine($secure->bind($admin, password => $password), 'bind after StartTLS');
die "cipher\n" unless $secure->cipher;

my $ldap = Net::LDAP->new($plain) or die "$@\n";
die "wrong password\n" unless $ldap->bind($admin, password => 'wrong')->code == LDAP_INVALID_CREDENTIALS;
fine($ldap->bind($admin, password => $password), 'bind');
my $who = fine($ldap->who_am_i, 'who am I');
die "who am I\n" unless $who->response eq "dn:$admin";

my $root = $ldap->root_dse;
die "root DSE\n" unless $root->get_value('namingContexts') eq $suffix && $root->supported_extension(LDAP_EXTENSION_START_TLS);

fine($ldap->add($people, attrs => [objectClass => 'organizationalUnit', ou => 'people']), 'add');
for my $number (0 .. 39) {
    my $name = sprintf 'user%02d', $number;
    fine(
        $ldap->add("uid=$name,$people",
            attrs => [objectClass => ['inetOrgPerson', 'posixAccount'], uid => $name, cn => "User $number", sn => 'User',
                uidNumber => 2000 + $number, gidNumber => 100, homeDirectory => "/home/$name"]),
        "add $name");
}
my $found = fine($ldap->search(base => $suffix, filter => '(&(objectClass=posixAccount)(uidNumber>=2038))'), 'search');
die 'ordering: ' . $found->count . "\n" unless $found->count == 2;

my $page = Net::LDAP::Control::Paged->new(size => 15);
my ($pages, $count) = (0, 0);
while (1) {
    my $part = fine($ldap->search(base => $people, scope => 'one', filter => '(uid=*)', attrs => ['uid'], control => [$page]), 'page');
    $pages++;
    $count += $part->count;
    my ($control) = $part->control(LDAP_CONTROL_PAGED) or last;
    $page->cookie($control->cookie) or last;
}
die "pages: $pages, $count\n" unless $pages == 3 && $count == 40;

my $sort = Net::LDAP::Control::Sort->new(order => '-uidNumber');
my $sorted = fine($ldap->search(base => $people, filter => '(uid=user*)', attrs => ['uid'], control => [$sort]), 'sort');
die "sort\n" unless $sorted->entry(0)->get_value('uid') eq 'user39';

my $entry = fine($ldap->search(base => "uid=user00,$people", scope => 'base', filter => '(objectClass=*)'), 'read')->entry(0);
$entry->replace(mail => ['a@example.com', 'b@example.com']);
$entry->add(description => "two\nlines");
fine($entry->update($ldap), 'update');
my $compared = $ldap->compare("uid=user00,$people", attr => 'mail', value => 'A@EXAMPLE.COM');
die "compare\n" unless $compared->code == LDAP_COMPARE_TRUE;
fine($ldap->moddn("uid=user00,$people", newrdn => 'uid=first', deleteoldrdn => 1), 'rename');
fine($ldap->set_password(user => "uid=first,$people", newpasswd => 'changed'), 'password');
my $other = Net::LDAP->new($plain) or die "$@\n";
fine($other->bind("uid=first,$people", password => 'changed'), 'bind as user');
die "rights\n" unless $other->delete("uid=user01,$people")->code == LDAP_INSUFFICIENT_ACCESS;
die "no such object\n" unless $ldap->delete("uid=nobody,$people")->code == LDAP_NO_SUCH_OBJECT;

fine($ldap->delete("uid=user02,$people"), 'delete');
die "delete\n" if fine($ldap->search(base => $people, filter => '(uid=user02)'), 'look for it')->count;

my $schema = $ldap->schema or die "schema\n";
die "schema of a class\n" unless grep { lc $_->{name} eq 'sn' } $schema->must('person');

my $anonymous = Net::LDAP->new($plain) or die "$@\n";
fine($anonymous->bind, 'anonymous bind');
print "done\n";
