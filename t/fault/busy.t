# A gateway that has too much to do (429, 503) is given less at once, then a little more with each answer, until it has all of its slots again.
# Measured by the gateway's own time stamps.

use v5.10.1;
use strict;
use warnings;

use lib 't/lib';
use Campaign;
use Campaign::Sending;
use Campaign::Server;
use List::Util qw(max min);
use Test::More;
use Time::HiRes qw(sleep time);

my $slots = 64;
my $takes = 0.05;                               # s, for each message

# takes n at once and refuses what is more; at most $slots come, so that "open" means all
my (%busy, %first);
gateway(sub {
    my $r = shift;
    my $now = time;

    if ($r->{path} eq '/narrow') {
        my $busy = $busy{ $r->{path} } //= [];
        shift @$busy while @$busy && $busy->[0] <= $now;
        return { status => $r->{try} % 2 ? 503 : 429 } if !$r->{told}{open} && @$busy >= 8;
        push @$busy, $now + $takes;
    }
    return { status => 503, delay => 0.01 } if $r->{path} eq '/down' && $r->{told}{down} && !$r->{told}{up};
    if ($r->{path} eq '/later' && $r->{told}{later}) {
        my $first = $first{later} //= $now;
        return { status => 429, headers => ['Retry-After: 1'] } if $now < $first + 0.5;
    }
    return { delay => $takes };
});

my $server = Campaign::Server->new(workers => 2, server => join '',
    map { channel($_, "concurrency=$slots") } qw(NARROW DOWN LATER));

# what was refused: the same id came once more
sub turned_away {
    my @r = @_;
    my %last;
    $last{ $_->{id} } = $_->{time} for @r;
    return grep { $_->{time} < $last{ $_->{id} } } @r;
}

sub between { my ($from, $to, @r) = @_; return grep { $_->{time} >= $from && $_->{time} < $to } @r }

{
    my $account = account(rate => 600, burst => 1);
    my $c = start($account, 'NARROW', to => [numbers(3000)]);
    ok((wait_for { requests('NARROW') >= 700 } 20), 'a gateway takes eight at once and refuses what is more');
    my $open = time;
    gateway()->tell('open');
    is(counts(settled($account, $c, 30)), 'completed: 3000 sent of 3000', 'and in the end it has all');

    my @r = requests('NARROW');
    my $from = $r[0]{time};
    my @steady = between($from + 1, $open, @r);
    my @refused = turned_away(@r);
    my $rate = (@steady - between($from + 1, $open, @refused)) / ($open - $from - 1);
    cmp_ok($rate, '>=', 0.5 * 8 / $takes, 'it is kept busy meanwhile');
    cmp_ok(scalar(between($from + 1, $open, @refused)), '<=', 0.3 * @steady, 'few are refused');
    cmp_ok(scalar(between($open, $r[-1]{time} + 1, @refused)), '<=', $slots, 'none when it takes more');

    # a slot more each round, from four to eight to the thirty that the account's rate needs
    my @rounds = map { scalar between($open + $takes * ($_ - 1), $open + $takes * $_, @r) } 1 .. 100;
    cmp_ok(max(@rounds[0 .. 4]), '<=', 16, 'it is not given all at once then');
    my ($full) = grep { $rounds[$_] + $rounds[$_ + 1] >= 2 * 0.85 * 600 * $takes } 0 .. 98;
    ok(defined $full && $full >= 10, 'but bit by bit') or diag "@rounds";
    ok(defined $full && $full <= 60, 'and by itself, until it has the whole rate again') or diag "@rounds";
    note sprintf '%.0f/s while narrow (%d of %d refused), the whole rate after %d rounds: %s', $rate, scalar(between($from + 1, $open, @refused)),
        scalar @steady, $full // -1, "@rounds[0 .. 40]";
}

{
    my $account = account(rate => 500, burst => 1);
    my $c = start($account, 'DOWN', to => [numbers(2000)]);
    ok(wait_for(sub { requests('DOWN') >= 200 }), 'a campaign is under way');
    gateway()->tell('down');
    my $down = time;
    sleep 2;                                    # as long as it is down
    my $up = time;
    gateway()->tell('up');
    is(counts(settled($account, $c, 40)), 'completed: 2000 sent of 2000', 'a gateway that is down for two seconds costs no message');
    my @r = requests('DOWN');
    cmp_ok(scalar between($down + 0.5, $up, @r), '<=', 12, 'it is asked now and then whether it is up');
    cmp_ok(scalar between($down, $up, @r), '<=', 3 * $slots, 'what was tried is what halves add up to');
    my ($next) = map { $_->{time} - $up } between($up + 0.01, $up + 60, @r);
    cmp_ok($next, '<=', 1.3, 'and soon when it is');
    my ($back) = grep { between($up + $_, $up + $_ + 1, @r) >= 400 } 0 .. 20;
    cmp_ok($back // 99, '<=', 10, 'and it has the whole rate within some seconds');
    note sprintf 'down: %d tried, %d after the first half second; the next after %.2f s, the whole rate after %d s', scalar between($down, $up, @r),
        scalar between($down + 0.5, $up, @r), $next, $back // -1;
}

{
    my $account = account(rate => 900, burst => 1);
    my $c = start($account, 'LATER', to => [numbers(1500)]);
    ok(wait_for(sub { requests('LATER') >= 200 }), 'a campaign is under way');
    gateway()->tell('later');
    is(counts(settled($account, $c, 30)), 'completed: 1500 sent of 1500', 'Retry-After is obeyed');
    my @r = requests('LATER');
    my ($first) = map { $_->{time} } turned_away(@r);
    my @rest = between($first + 0.1, $first + 0.99, @r);
    is(scalar @rest, 0, 'nothing comes while it rests');
    my ($again) = grep { $_ > $first + 0.9 } map { $_->{time} } @r;
    my @rounds = map { scalar between($again + $takes * ($_ - 1), $again + $takes * $_, @r) } 1 .. 20;
    my $before = max map { scalar between($first - $takes * $_, $first - $takes * ($_ - 1), @r) } 1 .. 4;
    # answers of the round before, which came after the first refusal, give a slot back
    cmp_ok(scalar between($again, $again + 0.8 * $takes, @r), '<=', $slots / 2 + 1, 'then it is given half of its slots at most');
    cmp_ok(max(@rounds[15 .. 19]), '>', $rounds[0], 'and more by and by');
    note "a round had $before, then @rounds";
}

my @said = $server->log_text =~ /the gateway of (\w+) (?:answers \d+, it is given less|is given 64 messages at once again)/g;
cmp_ok(scalar(grep { $_ eq 'NARROW' } @said), '<=', 4, 'the log says so once each way') or diag join ' ', @said;
cmp_ok(scalar(grep { $_ eq 'DOWN' } @said), '>=', 1, 'and for each gateway');
is($server->alerts, '', 'nothing else in the log');
ok($server->quit, 'the server ends');
done_testing();
