//! Usage texts, byte for byte those of the historical tools where they have one.

/// The usage of lookupd: of what is left of it as a program.
pub(crate) const LOOKUPD: &str = "\
usage: lookupd -q category                               # all records
       lookupd -q category -a key [val ...] [-a key ...] # records with these properties
       lookupd -f category key value                     # one record
";

/// The usage of niutil.
pub(crate) const NIUTIL: &str = "\
usage:\n\
\tniutil -create      [opts] <domain> <path>\n\
\tniutil -destroy     [opts] <domain> <path>\n\
\tniutil -createprop  [opts] <domain> <path> <propkey> [<val>...]\n\
\tniutil -appendprop  [opts] <domain> <path> <propkey> <val>...\n\
\tniutil -mergeprop   [opts] <domain> <path> <propkey> <val>...\n\
\tniutil -insertval   [opts] <domain> <path> <propkey> <val> <index>\n\
\tniutil -destroyprop [opts] <domain> <path> <propkey>...\n\
\tniutil -destroyval  [opts] <domain> <path> <propkey> <val>...\n\
\tniutil -renameprop  [opts] <domain> <path> <oldkey> <newkey>\n\
\tniutil -read        [opts] <domain> <path>\n\
\tniutil -list        [opts] <domain> <path> [<propkey>]\n\
\tniutil -readprop    [opts] <domain> <path> <propkey>\n\
\tniutil -readval     [opts] <domain> <path> <propkey> <index>\n\
\tniutil -rparent     [opts] <domain>\n\
\tniutil -resync      [opts] <domain>\n\
\tniutil -statistics  [opts] <domain>\n\
\tniutil -domainname  [opts] <domain>\n\
opts:\n\
\t-t\t\tdomain specified by <hostname>/<tag>\n\
\t-p\t\tprompt for password\n\
\t-u <user>\tauthenticate as another user (implies -p)\n\
\t-P <password>\tpassword supplied on command line (overrides -p)\n\
\t-T <timeout>\tread & write timeout in seconds (default 30)\n\
\t-n\t\tnumeric output for -rparent\n\
\t-R\t\tRetry operation if master is busy\n\
";

/// The usage of nidump.
pub(crate) const NIDUMP: &str = "\
usage: nidump [-r] [-T timeout] {directory | format} [-t] domain\n\
known formats:\n\
\taliases\n\
\tbootptab\n\
\tbootparams\n\
\tethers\n\
\texports\n\
\tfstab\n\
\tgroup\n\
\thosts\n\
\tnetworks\n\
\tpasswd\n\
\tprintcap\n\
\tprotocols\n\
\tresolv.conf\n\
\trpc\n\
\tservices\n\
";

/// The usage of niload.
pub(crate) const NILOAD: &str = "\
usage: niload [opts] format domain\n\
opts:\n\
\t-d              delete all existing entries from NetInfo\n\
\t                before loading new entries\n\
\n\
\t-m              merge properties already in NetInfo\n\
\t                when the input contains a duplicate name\n\
\n\
\t-v              verbose\n\
\t-p              prompt for password\n\
\t-u <user>       authenticate as another user (implies -p)\n\
\t-P <password>   password supplied on command line (overrides -p)\n\
\t-T <timeout>    read & write timeout in seconds (default 30)\n\
\t-t              domain specified by <host>/<tag>\n\
";

/// The usage of nicl.
pub(crate) const NICL: &str = "\
usage: nicl [options] <datasource> [<command>]\n\
options:\n\
\x20   -c             create a new datasource\n\
\x20   -ro            read-only\n\
\x20   -p             prompt for password\n\
\x20   -u <user>      authenticate as user\n\
\x20   -P <password>  authentication password\n\
\x20   -raw           datasource is a NetInfo directory\n\
\x20   -t             datasource is <host>/<tag>\n\
\x20   -q             quiet - no interactive prompt\n\
\x20   -i             ask for confirmation before deleting directories\n\
\x20   -x500          X.500 names\n\
commands:\n\
\x20   -read    <path> [<key>...]\n\
\x20   -create [<path> [<key> [<val>...]]]\n\
\x20   -delete  <path> [<key> [<val>...]]\n\
\x20   -rename  <path> <old_key> <new_key>\n\
\x20   -list    <path> [<key>]\n\
\x20   -append  <path> <key> <val>...\n\
\x20   -merge   <path> <key> <val>...\n\
\x20   -insert  <path> <key> <val> <index>\n\
\x20   -move    <path> <new_parent>\n\
\x20   -copy    <path> <new_parent>\n\
\x20   -search  <path> <scopemin> <scopemax> (<key> <val>)...\n\
\x20   -path    <path>\n\
\x20   -load    [<delim> <key> <val>...]...\n\
\x20   -setrdn  <path> <key> <val>\n\
\x20   -history [<=>] [<version>]\n\
\x20   -stats\n\
\x20   -domainname\n\
\x20   -rparent\n\
\x20   -resync\n\
\x20   -flush\n\
\x20   -auth    <user> [<password>]\n\
\x20   -refs\n\
\x20   -source  <file>\n\
\x20   -echo    <string>\n\
\n\
";

/// The usage of nigrep.
pub(crate) const NIGREP: &str = "\
usage: nigrep [-T timeout] exp [-t] domain [dir ...]\n\
";

/// The usage of nifind.
pub(crate) const NIFIND: &str = "\
usage: nifind [options] directory [domain]\n\
options:\n\
\x20  -a      search entire NetInfo hierarchy\n\
\x20  -v      verbose\n\
\x20  -n      ignore local domains\n\
\x20  -p      print directory contents\n\
\x20  -T %d  connect timeout\n\
directory: name of directory to find\n\
domain:    use this domain as the root domain\n\
";

/// The usage of nireport.
pub(crate) const NIREPORT: &str = "\
usage: nireport [-T timeout] [-t] domain directory property...\n\
";

/// The usage of nidomain.
pub(crate) const NIDOMAIN: &str = "\
usage: nidomain -l [host]                # list tags served\n\
\x20      nidomain -g tag [host]            # lookup tag\n\
\x20      nidomain -m tag [host]            # create master server\n\
\x20      nidomain -d tag [host]            # destroy server\n\
\x20      nidomain -u tag [host]            # unregister server\n\
\x20      nidomain -c tag master/tag [host] # create clone of master server\n\
\x20      nidomain -a tag alias [host]      # register existing tag under an alias\n\
";
