# Requests that wait for the store, or for a thread, while the server reloads: the old worker answers them before it ends.

use v5.10.1;
use strict;
use warnings;

use lib 't/lib';
use Campaign;
use Campaign::Fault;
use Campaign::Server;
use IO::Socket::INET;
use IPC::Open2;
use Test::More;

my $server = Campaign::Server->new(workers => 2, server => 'campaign_gateway SMS /_gateway; location /_gateway { internal; return 200; }');
my $account = account();
$account->sender;

my $large = json({ data => { from => 'Acme', channel => 'SMS', text => 'Hello', to => [map { 15550000000 + $_ . '' } 1 .. 20000] } });

for (
    ['a small POST', '/v1/templates', json({ data => { text => 'waits', channel => 'SMS' } })],
    ['a POST with an idempotency key', '/v1/templates', json({ data => { text => 'waits', channel => 'SMS' } }), 'Idempotency-Key: a key'],
    ['a large POST', '/v1/campaigns', $large],
) {
    my ($title, $path, $body, @more) = @$_;
    my @old = $server->workers;

    my $pid = open2(my $said, my $until, tool('keep'), store_dir());
    is(scalar <$said>, "held\n", 'the store is held');

    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $ENV{TEST_NGINX_SERVER_PORT}, Timeout => 5) or die "connect: $!\n";
    print $socket request(POST => $path, [$account->header, 'Content-Type: application/json', 'Connection: close', @more], $body);
    $socket->flush;

    # all of it is read, and the store is asked
    wait_for { $server->log_text; nobody($account->key)->get('/templates')->status == 200 };
    $server->signal('HUP');
    wait_for { my %old = map { $_ => 1 } @old; grep({ !$old{$_} } $server->workers) == 2 };
    is(nobody($account->key)->get('/senders')->status, 200, 'new workers serve');

    close $until;
    waitpid $pid, 0;

    my $in = do { local $/; <$socket> } // '';
    my $r = Campaign::Answer->take(\$in, 0, 1);
    is($r ? $r->status : 'no answer', 201, "$title is answered though its worker ends");
    ok(Campaign::Server::gone(10, @old), 'the old workers end then');
}

is($server->alerts, '', 'nothing in the log');
ok($server->quit, 'the server ends');
sound(store_dir());
done_testing();
