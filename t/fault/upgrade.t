# A new binary takes the place of a running one in mid-campaign: USR2, then QUIT to the old master.

use v5.10.1;
use strict;
use warnings;

use lib 't/lib';
use Campaign;
use Campaign::Sending;
use Campaign::Server;
use Test::More;

my $many = 1500;

gateway(sub { { delay => 0.03 } });

my $server = Campaign::Server->new(workers => 2, server => channel('UPGRADE', 'concurrency=64'));
my $account = account(rate => 500, burst => 10);
my $c = start($account, 'UPGRADE', to => [numbers($many)]);

for my $n (200, 600) {
    my $old = $server->{master};

    ok(wait_for(sub { requests('UPGRADE') >= $n }), "$n messages are sent");
    $server->signal('USR2');
    my $new = wait_for { my $pid = $server->master; $pid && $pid != $old && Campaign::Server::children($pid) >= 2 && $pid };
    ok($new, 'a new master has workers');
    $server->signal(QUIT => $old);
    ok(Campaign::Server::gone(20, $old), 'the old one ends');
    $server->{master} = $new;
    cmp_ok(scalar requests('UPGRADE'), '<', $many, 'before the campaign does');
}

is(counts(settled($account, $c, 20)), "completed: $many sent of $many", 'the campaign ends');

my @r = requests('UPGRADE');
is(join(',', sent_by(@r)), join(',', numbers($many)), 'each number was reached once');
is(scalar(grep { $_->{header}{'x-attempt'} != 1 } @r), 0, 'at the first attempt');
is($server->alerts, '', 'nothing in the log');

ok($server->quit, 'the server ends');
done_testing();
