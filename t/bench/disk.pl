# disk: what a campaign of 100 000 adds to the store when its audience is there, and what a contact takes.
#
# Bytes are the pages of LMDB that are in use (mdb_stat), so that what is free to be used again does not count.
# needs: mdb_stat=lmdb-utils

use v5.10.1;
use strict;
use warnings;

use Bench;

my $n = of_quick(50_000, 100_000);
my $audiences = of_quick(1, 5);
my $campaigns = of_quick(1, 5);

my $gateway = Bench::Gateway->new('disk');
my $server = Bench::Server->new('disk', gateway => $gateway);
my $client = $server->account;

my $empty = $server->used_bytes;
my $id;
for my $i (1 .. $audiences) {
    $id = $client->ask(POST => '/v1/audiences', { name => "audience $i", channel => 'SMS' })->{id};
    $client->call(POST => "/v1/audiences/$id/contacts", 'text/csv', contacts($n));
}
my $full = $server->used_bytes;

for my $i (1 .. $campaigns) {
    $server->send($client, $gateway, $id, $n);
    progress("campaign $i of $campaigns");
}
my $sent = $server->used_bytes;

my $contact = ($full - $empty) / $n / $audiences;
my $recipient = ($sent - $full) / $n / $campaigns;

row('a contact with number and name', sprintf('%.1f B', $contact), value => sprintf('%.2f', $contact), most => 64, unit => 'B');
row('a recipient of a campaign that was sent', sprintf('%.2f B', $recipient), value => sprintf('%.3f', $recipient), most => 8, unit => 'B');

$_->stop for $server, $gateway;
