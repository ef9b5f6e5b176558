/* Prints name:uid of every user of a domain: walk ADDRESS PORT. See README.md. */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "netinfo.h"

static CLIENT *client;

static void fail(const char *what) {
	fprintf(stderr, "%s\n", what);
	exit(1);
}

/* A result that must be there, with status NI_OK. */
static void *need(void *result, const char *procedure) {
	if (result == NULL) {
		clnt_perror(client, (char *)procedure);
		exit(1);
	}
	if (*(ni_status *)result != NI_OK) {
		fprintf(stderr, "%s: status %d\n", procedure, *(ni_status *)result);
		exit(1);
	}
	return result;
}

static void connect_to(const char *address, const char *port) {
	struct sockaddr_in server;
	int sock = RPC_ANYSOCK;

	memset(&server, 0, sizeof server);
	server.sin_family = AF_INET;
	server.sin_port = htons((unsigned short)atoi(port));
	if (inet_pton(AF_INET, address, &server.sin_addr) != 1)
		fail("bad address");
	client = clnttcp_create(&server, NI_PROG, NI_VERS, &sock, 0, 0);
	if (client == NULL) {
		clnt_pcreateerror((char *)address);
		exit(1);
	}
}

/* The id of the first child of `parent` with this name. */
static ni_id child(ni_id parent, const char *name) {
	lookup_args args = { parent, (char *)"name", (char *)name };
	idlist_res *found = need(ni_lookup_2(&args, client), "LOOKUP");
	ni_id id = { found->idlist_res_u.ok.ids.ni_idlist_val[0], 0 };

	return need(ni_self_2(&id, client), "SELF"), id;
}

static const char *first(const ni_proplist *props, const char *name) {
	for (u_int i = 0; i < props->ni_proplist_len; i++) {
		const ni_property *prop = &props->ni_proplist_val[i];

		if (strcmp(prop->name, name) == 0 && prop->values.ni_namelist_len > 0)
			return prop->values.ni_namelist_val[0];
	}
	return "";
}

/* READ of the entry's own id must give what LOOKUPREAD gave, and LISTPROPS as many names. */
static void check(unsigned int object, const ni_proplist *props) {
	ni_id id = { object, 0 };
	proplist_res *own = need(ni_read_2(&id, client), "READ");
	namelist_res *names = need(ni_listprops_2(&id, client), "LISTPROPS");

	if (own->proplist_res_u.ok.id.object != object)
		fail("READ: another directory");
	if (own->proplist_res_u.ok.props.ni_proplist_len != props->ni_proplist_len ||
	    names->namelist_res_u.ok.values.ni_namelist_len != props->ni_proplist_len)
		fail("READ, LISTPROPS and LOOKUPREAD disagree");
	if (strcmp(first(&own->proplist_res_u.ok.props, "uid"), first(props, "uid")) != 0)
		fail("READ and LOOKUPREAD give different users");
}

/* READALL must hold as many children of this directory as LIST does. */
static void check_all(unsigned int parent, u_int children) {
	unsigned int checksum = 0;
	readall_res *all = need(ni_readall_2(&checksum, client), "READALL");
	u_int count = 0;

	for (ni_object_node *node = all->readall_res_u.ok.list; node != NULL; node = node->next)
		if (node->object.parent == parent && node->object.id.object != parent)
			count++;
	if (count != children)
		fail("LIST and READALL disagree");
}

int main(int argc, char **argv) {
	if (argc != 3)
		fail("usage: walk ADDRESS PORT");
	connect_to(argv[1], argv[2]);

	ni_proplist *statistics = ni_statistics_2(NULL, client);
	if (statistics == NULL || strcmp(first(statistics, "checksum"), "") == 0)
		fail("no statistics");

	id_res *root = need(ni_root_2(NULL, client), "ROOT");
	ni_id users = child(root->id_res_u.id, "users");
	name_args args = { users, (char *)"name" };
	/* Results of one procedure share a place, so the list is taken over from it; that of LIST is used by LIST alone. */
	list_res *list = need(ni_list_2(&args, client), "LIST");
	ni_entrylist entries = list->list_res_u.ok.entries;
	idlist_res *ids = need(ni_children_2(&users, client), "CHILDREN");

	if (ids->idlist_res_u.ok.ids.ni_idlist_len != entries.ni_entrylist_len)
		fail("LIST and CHILDREN disagree");
	check_all(users.object, entries.ni_entrylist_len);
	for (u_int i = 0; i < entries.ni_entrylist_len; i++) {
		ni_entry *entry = &entries.ni_entrylist_val[i];

		if (entry->names == NULL || entry->names->ni_namelist_len == 0)
			continue;
		lookup_args lookup = { users, (char *)"name", entry->names->ni_namelist_val[0] };
		proplist_res *user = need(ni_lookupread_2(&lookup, client), "LOOKUPREAD");
		ni_proplist *props = &user->proplist_res_u.ok.props;

		if (user->proplist_res_u.ok.id.object != users.object)
			fail("LOOKUPREAD: the id is that of the searched directory");
		check(entry->id, props);
		printf("%s:%s\n", first(props, "name"), first(props, "uid"));
	}
	clnt_destroy(client);
	return 0;
}
