# A dispatcher that is killed in mid-campaign: another worker takes over, nobody is left out, and what was in flight is uncertain.

use v5.10.1;
use strict;
use warnings;

use lib 't/lib';
use Campaign;
use Campaign::Sending;
use Campaign::Server;
use Campaign::Watch;
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
my $watch = Campaign::Watch->new(store_dir() =~ s/-store\z/-watch/r);

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

# the longest that no request came, of what was under way at this time or began within a second: seconds, and how many of them the machine lost
sub gap {
    my ($channel, $at) = @_;
    my @times = sort { $a <=> $b } map { $_->{time} } requests($channel);
    my ($last) = sort { $times[$b] - $times[$b - 1] <=> $times[$a] - $times[$a - 1] } grep { $times[$_] > $at && $times[$_ - 1] < $at + 1 } 1 .. $#times;
    return [$times[$last] - $times[$last - 1], $watch->lost(@times[$last - 1, $last])];
}

# 100 ms for a takeover, and what the machine lost
sub soon {
    my ($channel, @at) = @_;
    my @gaps = map { gap($channel, $_) } @at;
    is(scalar(grep { $_->[0] - $_->[1] > 0.1 } @gaps), 0, 'another one sends within 100 ms') or diag explain \@gaps;
    note 'gaps of ', join ', ', map { sprintf '%.0f ms (the machine lost %.0f)', 1000 * $_->[0], 1000 * $_->[1] } @gaps;
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

    soon('AGAIN', @at);
    note "$repeats repeats";
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
    my %reasons;
    my $csv = $account->get("/campaigns/$c->{id}/messages?filter[status]=failed", Accept => 'text/csv')->body;
    $reasons{ (split /,/)[3] }++ for grep { /,failed,/ } split /\r?\n/, $csv;
    is_deeply(\%reasons, { uncertain => $n{failed} }, 'for it is uncertain');

    my %times;
    $times{ to($_) }++ for requests('ONCE');
    is(scalar(grep { $_ > 1 } values %times), 0, 'no number was reached twice');
    cmp_ok(scalar(keys %times), '>=', $n{sent}, 'and no fewer than count as sent');
    soon('ONCE', @at);
    note sprintf '%d failed, %d at the gateway', $n{failed}, scalar keys %times;
}

$watch->end;
is($server->alerts(qr/exited on signal 9/), '', 'the log tells of the killed ones alone');

ok($server->quit, 'the server ends');
done_testing();
