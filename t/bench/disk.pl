# disk: what a campaign of 100 000 adds to the store when its audience is there, and what a contact takes.
#
# Bytes are the pages of LMDB that are in use (mdb_stat), so that what is free to be used again does not count.
# A gateway's own id of a message has to be kept as it came, if there is one.
# needs: mdb_stat=lmdb-utils

use v5.10.1;
use strict;
use warnings;

use Bench;

my $n = of_quick(50_000, 100_000);
my $audiences = of_quick(2, 4);
my $campaigns = of_quick(1, 4);

my $gateway = Bench::Gateway->new('disk');
my $server = Bench::Server->new('disk', gateway => $gateway);
my $client = $server->account;

my $empty = $server->used_bytes;
my $full;
my %audience;
for my $i (1 .. $audiences) {
    my $channel = $i % 2 ? 'SMS' : 'VIBER';
    $audience{$channel} = $client->ask(POST => '/v1/audiences', { name => "audience $i", channel => $channel })->{id};
    $client->call(POST => "/v1/audiences/$audience{$channel}/contacts", 'text/csv', contacts($n));
}
my $used = $full = $server->used_bytes;

# B a recipient that campaigns of a channel add
sub added {
    my $channel = shift;
    my $before = $used;
    for my $i (1 .. $campaigns) {
        $server->send($client, $gateway, $audience{$channel}, $n, $channel);
        progress("campaign $i of $campaigns");
    }
    $used = $server->used_bytes;
    return ($used - $before) / $n / $campaigns;
}

my $contact = ($full - $empty) / $n / $audiences;
my ($recipient, $with_id) = map { added($_) } qw(VIBER SMS);

row('a contact with number and name', sprintf('%.1f B', $contact), value => sprintf('%.2f', $contact), most => 64, unit => 'B');
row('a recipient of a campaign that was sent, id=off', sprintf('%.2f B', $recipient), value => sprintf('%.3f', $recipient), most => 8, unit => 'B');
row("the same with the gateway's id, 36 characters", sprintf '%.2f B', $with_id);

$_->stop for $server, $gateway;
