# A server that is stopped, or dies as a whole, in mid-campaign, and is started again.

use v5.10.1;
use strict;
use warnings;

use lib 't/lib';
use Campaign;
use Campaign::Sending;
use Campaign::Server;
use POSIX qw(strftime);
use Test::More;

my $many = 1000;
my $slots = 64;

# what is to be repeated: at a date that the gateway names, or after the wait of campaign_retry
my $date;

gateway(sub {
    my $r = shift;
    return { delay => 0.03 } if $r->{path} !~ m{\A/(?:dated|backoff)\z} || $r->{try} > 1;
    return 503 if $r->{path} eq '/backoff';
    $date //= int($r->{time}) + 4;
    return { status => 503, headers => ['Retry-After: ' . strftime('%a, %d %b %Y %H:%M:%S GMT', gmtime $date)] };
});

my $wait = 3;

my $server = Campaign::Server->new(workers => 2, server => channel('STOPPED', "concurrency=$slots") . channel('CRASHED', "concurrency=$slots") . channel('DATED', ''),
    http => "server { listen 127.0.0.1:@{[ $ENV{TEST_NGINX_SERVER_PORT} + 3 ]}; campaign_retry attempts=3 min=${wait}s max=${wait}s; " . channel('BACKOFF', '') . '}');
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
    my %c = map { $_ => start($account, $_, to => [numbers(3)]) } qw(DATED BACKOFF);
    # of the one whose gateway rests as a whole, some may not have gone at all
    ok(wait_for(sub { requests('DATED') && requests('BACKOFF') == 3 && !grep { $account->get("/campaigns/$c{$_}{id}")->data->{messages}{enroute} } keys %c }),
       'messages wait for a repeat');
    my %first = map { $_ => [requests($_)] } keys %c;
    ok($server->quit, 'the server is stopped');
    $server->start;
    for (sort keys %c) {
        my $m = $account->get("/campaigns/$c{$_}{id}/messages")->data;
        is(join(',', map { "$_->{status} " . ($_->{reason} // '') . " $_->{attempts}" } grep { $_->{attempts} } @$m), join(',', ('scheduled gateway_5xx 1') x @{ $first{$_} }),
           "$_: started again, and they still wait");
        is(scalar requests($_), scalar @{ $first{$_} }, "$_: none has gone again");
    }
    for (sort keys %c) {
        is(counts(settled($account, $c{$_})), 'completed: 3 sent of 3', "$_: the campaign ends");
        my @first = @{ $first{$_} };
        my %times;
        push @{ $times{ $_->{id} } }, $_ for requests($_);
        is(keys %times, 3, "$_: of three messages");
        my @again = map { $times{ $_->{id} } } @first;
        is(join(',', map { scalar @$_ } @again), join(',', (2) x @first), "$_: each that was refused came once more");
        is(join(',', map { $_->[1]{header}{'x-attempt'} // '' } @again), join(',', (2) x @first), "$_: and says that it is the second try");
        my $date = int($first[0]{time}) + 4;
        my @late = map { $_->[1]{time} - ($first[0]{path} eq '/dated' ? $date : $_->[0]{time} + $wait) } @again;
        is(scalar(grep { $_ < -0.002 } @late), 0, "$_: not before its time") or diag "@late";
        is(scalar(grep { $_ > 1.5 } @late), 0, "$_: and not long after it") or diag "@late";
        note "$_: after its time by @late";
    }
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
