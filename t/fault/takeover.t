# A dispatcher that is killed in mid-campaign: another worker takes over, nobody is left out, and what was in flight is uncertain.

use v5.10.1;
use strict;
use warnings;

use lib 't/lib';
use Campaign;
use Campaign::Sending;
use Campaign::Server;
use List::Util qw(max);
use Test::More;

my $many = 2000;
my $slots = 64;

gateway(sub { { delay => 0.02 } });

my $server = Campaign::Server->new(
    workers => 3,
    server => channel('AGAIN', "concurrency=$slots"),
    http => "server { listen 127.0.0.1:@{[ $ENV{TEST_NGINX_SERVER_PORT} + 3 ]}; campaign_redelivery off;\n"
        . channel('ONCE', "concurrency=$slots") . '}');

my $account = account(rate => 1000, burst => 10);

# kills the dispatcher when the gateway has got so many; the time of it.  Meanwhile the master cannot start a new worker
sub kill_at {
    my ($channel, $n) = @_;
    wait_for { requests($channel) >= $n } or return undef;
    my $pid = wait_for { $server->dispatcher } or return undef;
    $server->signal('STOP');
    $server->signal(KILL => $pid);
    my $at = Time::HiRes::time;
    my $other = wait_for { ($server->dispatcher // $pid) != $pid };
    $server->signal('CONT');
    return $other ? $at : undef;
}

# seconds without a request after this time
sub gap {
    my ($channel, $at) = @_;
    my @times = sort { $a <=> $b } map { $_->{time} } requests($channel);
    return max map { $times[$_] - $times[$_ - 1] } grep { $times[$_] > $at && $times[$_ - 1] < $at + 1 } 1 .. $#times;
}

sub to { decode($_[0]{body})->{data}{to}[0] }

{
    my $c = start($account, 'AGAIN', to => [numbers($many)]);
    my @at = map { kill_at('AGAIN', $_) } 300, 800, 1300;
    is(scalar(grep { defined } @at), 3, 'three dispatchers were killed, and another one took over each time');
    is(counts(settled($account, $c, 20)), "completed: $many sent of $many", 'the campaign ends, and its counters are exact');

    my %ids;
    $ids{ to($_) }{ $_->{id} }++ for requests('AGAIN');
    is(join(',', sort keys %ids), join(',', numbers($many)), 'each number was reached');
    is(scalar(grep { keys %$_ > 1 } values %ids), 0, 'a repeat has the same message id');

    my %tries;
    push @{ $tries{ to($_) } }, $_->{header}{'x-attempt'} for sort { $a->{time} <=> $b->{time} } requests('AGAIN');
    is(scalar(grep { my $t = $_; grep { $t->[$_] <= $t->[$_ - 1] } 1 .. $#$t } values %tries), 0, 'and says that it is one');

    my $repeats = requests('AGAIN') - $many;
    cmp_ok($repeats, '<=', 3 * $slots, 'repeats are at most what was in flight');
    cmp_ok($repeats, '>', 0, 'and something was');

    my @gaps = map { gap('AGAIN', $_) } @at;
    cmp_ok(max(@gaps), '<', 1, 'another one sends within a second') or diag "@gaps";
    note sprintf '%d repeats, gaps of %s s', $repeats, join ' ', map { sprintf '%.3f', $_ } @gaps;
}

{
    my $c = start($account, 'ONCE', to => [numbers($many)]);
    my @at = map { kill_at('ONCE', $_) } 300, 1200;
    is(scalar(grep { defined } @at), 2, 'redelivery off: two dispatchers were killed');

    my $end = settled($account, $c, 20);
    my %n = %{ $end->{messages} };
    is($end->{status}, 'completed', 'the campaign ends');
    is($n{sent} + $n{failed}, $many, 'each message is sent or failed');
    cmp_ok($n{failed}, '>', 0, 'what was in flight failed');
    cmp_ok($n{failed}, '<=', 2 * $slots, 'and no more than that');

    my %times;
    $times{ to($_) }++ for requests('ONCE');
    is(scalar(grep { $_ > 1 } values %times), 0, 'no number was reached twice');
    cmp_ok(scalar(keys %times), '>=', $n{sent}, 'and no fewer than count as sent');
    note sprintf '%d failed, %d at the gateway', $n{failed}, scalar keys %times;
}

is($server->alerts(qr/exited on signal 9/), '', 'the log tells of the killed ones alone');

ok($server->quit, 'the server ends');
done_testing();
