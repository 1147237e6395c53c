# A server that is stopped, or dies as a whole, in mid-campaign, and is started again.

use v5.10.1;
use strict;
use warnings;

use lib 't/lib';
use Campaign;
use Campaign::Sending;
use Campaign::Server;
use Test::More;

my $many = 1000;
my $slots = 64;

gateway(sub { { delay => 0.03 } });

my $server = Campaign::Server->new(workers => 2, server => channel('STOPPED', "concurrency=$slots") . channel('CRASHED', "concurrency=$slots"));
my $account = account(rate => 500, burst => 10);

sub ids {
    my %ids;
    $ids{ decode($_->{body})->{data}{to}[0] }{ $_->{id} }++ for @_;
    return %ids;
}

{
    my $c = start($account, 'STOPPED', to => [numbers($many)]);

    for my $n (200, 600) {
        ok(wait_for(sub { requests('STOPPED') >= $n }), "$n messages are sent");
        ok($server->quit, 'the server is stopped');
        my $stopped = requests('STOPPED');
        $server->start;
        my $now = $account->get("/campaigns/$c->{id}")->data->{messages};
        cmp_ok($now->{sent}, '>=', $stopped, 'all that was sent is on record') or diag json($now);
        cmp_ok($stopped, '<', $many, 'and that was not all');
    }

    is(counts(settled($account, $c, 20)), "completed: $many sent of $many", 'the campaign ends');
    is(join(',', sent_by(requests('STOPPED'))), join(',', numbers($many)), 'each number was reached once');
    is($server->alerts, '', 'nothing in the log');
}

{
    my $c = start($account, 'CRASHED', to => [numbers($many)]);

    for my $n (200, 600) {
        ok(wait_for(sub { requests('CRASHED') >= $n }), "$n messages are sent");
        $server->crash;
        my $crashed = requests('CRASHED');
        cmp_ok($crashed, '<', $many, 'the server is killed before the end');
        $server->start;
        my %now = %{ $account->get("/campaigns/$c->{id}")->data->{messages} };
        my $total = delete $now{total};
        my $sum = 0;
        $sum += $_ for values %now;
        is($sum, $total, 'counters make up the total');
    }

    is(counts(settled($account, $c, 20)), "completed: $many sent of $many", 'the campaign ends');

    my %ids = ids(requests('CRASHED'));
    is(join(',', sort keys %ids), join(',', numbers($many)), 'each number was reached');
    is(scalar(grep { keys %$_ > 1 } values %ids), 0, 'a repeat has the same message id');

    my $repeats = requests('CRASHED') - $many;
    cmp_ok($repeats, '<=', 2 * $slots, 'repeats are at most what was in flight');
    note "$repeats repeats";
    is($server->alerts, '', 'nothing in the log');
}

ok($server->quit, 'the server ends');
done_testing();
