# A worker that dies at any of its system calls, before or after it: what was answered is there, receipts among it, each message reaches the gateway,
# repeats are at most what was in flight and have the same id, counters are exact, and another worker takes over at once.  With campaign_redelivery
# off there are none, and what was in flight has failed.
#
# A point is a number of a call, counted over all workers from the beginning of a round, with "a" if the call is made first, "r" if the server is
# reloaded in mid-campaign, and "o" if redelivery is off: 123aro.  tools/test --kill-at 123aro runs that one alone.

use v5.10.1;
use strict;
use warnings;

use lib 't/lib';
use Campaign;
use Campaign::Chance;
use Campaign::Fault;
use Campaign::Sending;
use Campaign::Server;
use Campaign::Watch;
use List::Util qw(max);
use Test::More;
use Time::HiRes qw(sleep time);

plain_only();

my $slots = 8;
my $many = 40;
my $seconds = 20;                               # of the short form

gateway(sub { { delay => 0.003 } });

my $file = store_dir() =~ s/-store\z/-kill/r;
my $env = preload('preload_kill.so', $file, 4096);
my $control = control($file, qw(k after count killed killed_at dispatcher locked_at was_dispatcher call));

my $server = Campaign::Server->new(
    workers => 2,
    env => $env,
    server => join('', "location = /v1/receipts { campaign_receipts by=id; }\n", map { channel($_, "concurrency=$slots") } qw(WHOLE STOPPED)),
    http => "server { listen 127.0.0.1:@{[ $ENV{TEST_NGINX_SERVER_PORT} + 3 ]}; campaign_redelivery off;\n"
        . channel('ONCE', "concurrency=$slots") . '}');
my $account = account(rate => 2000, burst => 10);
$account->sender(channel => $_) for qw(WHOLE ONCE STOPPED);
my $watch = Campaign::Watch->new(store_dir() =~ s/-store\z/-watch/r);

my $calls = 0;

# a listening socket wakes one of the workers that wait at it; if that is killed before it accepts, the connection waits until the next one comes
my $unheard = 0;

# until it is answered: workers may be dead, or busy with the same key
sub sure {
    my ($method, $path, $body, %headers) = @_;
    my $r;
    wait_for {
        $r = eval { nobody($account->key)->patience(3)->call($method => $path, $body, %headers) };
        $unheard++ if $r && $r->status == 599 && $r->body =~ /Timed out/;
        return $r && $r->status != 599 && $r->status != 503 && !($r->status == 409 && $headers{'Idempotency-Key'});
    } 8;
    $calls++;
    return $r;
}

my $keys = 0;
sub made {
    my ($path, $body) = @_;
    my $r = sure(POST => $path, $body, 'Idempotency-Key' => 'key ' . ++$keys);
    die "$path: " . $r->status . ' ' . $r->body . "\n" if $r->status != 201;
    return $r->data;
}

# one round: killed at point k, or (0) not at all
my ($rounds, $killed, $off, $uncertain) = (0) x 4;
my (%seen, @took, @gaps, %calls);

sub round {
    my ($k, $after, $reload, $once) = @_;
    my @wrong;
    my $channel = $once ? 'ONCE' : 'WHOLE';
    my $point = join '', $k, $after ? 'a' : '', $reload ? 'r' : '', $once ? 'o' : '';
    my %at = map { $_ => scalar requests($_) } $channel, 'STOPPED';

    $control->set(k => 0);
    $control->set(after => $after, count => 0, killed => 0, killed_at => 0, locked_at => 0, was_dispatcher => 0);
    $control->set(k => $k);

    my %campaign = (from => 'Acme', text => 'Hello');
    my $whole = made('/campaigns', { %campaign, channel => $channel, to => [numbers($many)] });
    my $stopped = made('/campaigns', { %campaign, channel => 'STOPPED', to => [numbers($many)] });
    my $template = made('/templates', { text => "round $keys", channel => 'WHOLE' });

    $server->signal('HUP') if $reload;

    my $r = sure(PATCH => "/campaigns/$stopped->{id}", { status => 'canceled' });
    push @wrong, 'cancel: ' . $r->status . ' ' . $r->body if $r->status != 200 && $r->status != 409;

    # receipts for two messages: the first, and one that may be in flight; the second request may repeat the first message
    my @early;
    wait_for {
        my %of;
        my @r = requests($channel);
        @early = grep { !$of{$_}++ } map { $_->{id} } @r[$at{$channel} .. $#r];
        return @early >= 2;
    } 8;
    for my $id (@early ? @early[0, -1] : ()) {
        $r = sure(POST => "/receipts?id=$id&status=delivered");
        push @wrong, 'receipt: ' . $r->status . ' ' . $r->body if $r->status != 200;
    }

    my $last;
    for my $c ($whole, $stopped) {
        wait_for {
            $last = sure(GET => "/campaigns/$c->{id}");
            return 0 if $last->status != 200;
            return $last->data->{status} =~ /\A(?:completed|failed|canceled)\z/ && !$last->data->{messages}{enroute};
        } 8;
        $c->{end} = $last->data;
    }
    my $count = $control->get('count');
    $control->set(k => 0);

    # only a dispatcher had something in flight, and it fails only where it may not be sent again
    my $failed = $whole->{end}{messages}{failed};
    my $counts = join '', 'completed: 2 delivered, ', $failed ? "$failed failed, " : '', $many - 2 - $failed, " sent of $many";
    push @wrong, 'campaign: ' . counts($whole->{end}) if counts($whole->{end}) ne $counts
        || $failed > ($once && $control->get('was_dispatcher') ? $slots : 0);
    if ($failed) {
        $r = sure(GET => "/campaigns/$whole->{id}/messages?filter[status]=failed");
        my $reasons = join ',', map { $_->{reason} // 'none' } $r->status == 200 ? @{ $r->data } : ();
        push @wrong, "reasons of what failed: $reasons" if $reasons ne join ',', ('uncertain') x $failed;
        $uncertain += $failed;
    }
    $off++ if $once;

    my %n = %{ $stopped->{end}{messages} };
    my $ended = $n{sent} + $n{failed} + $n{canceled};
    push @wrong, 'canceled campaign: ' . counts($stopped->{end}) if $ended != $many || $n{failed} > $slots
        || ($stopped->{end}{status} ne 'canceled' && $n{sent} != $many);
    push @wrong, 'template: ' . $r->status if ($r = sure(GET => "/templates/$template->{id}"))->status != 200;

    # the gateway's view
    for my $c ($channel, 'STOPPED') {
        my @r = requests($c);
        @r = @r[$at{$c} .. $#r];
        my (%ids, %to);
        $to{ decode($_->{body})->{data}{to}[0] }{ $_->{id} }++ for @r;
        $ids{ $_->{id} }++ for @r;
        my $repeats = @r - keys %to;
        push @wrong, "$c: a number has two ids" if grep { keys %$_ > 1 } values %to;
        push @wrong, "$c: an id of another round" if grep { $seen{$_}++ } keys %ids;
        push @wrong, "$c: $repeats repeats" if $repeats > ($c eq 'ONCE' || !$control->get('was_dispatcher') ? 0 : $slots);
        my $sent = $c eq 'STOPPED' ? $n{sent} : $many - $failed;
        push @wrong, "$c: " . keys(%to) . " reached, $sent sent" if keys %to < $sent || keys %to > $sent + $slots || keys %to > $many;
    }

    my ($status, $said) = check(store_dir());
    push @wrong, "the store: $said" if $status;

    if (my $pid = $control->get('killed')) {
        $killed++;
        $calls{ $control->text('call', 31) }++;

        if ($control->get('was_dispatcher')) {
            wait_for { $control->get('locked_at') } 5;
            my ($from, $to) = map { $control->get($_) / 1e9 } qw(killed_at locked_at);
            push @took, { took => $to - $from, lost => $watch->lost($from, $to), point => "$point " . $control->text('call', 31) };
            push @wrong, 'nobody took over' if $to < $from;

            # the first message behind it, if there was one
            my @times = sort { $a <=> $b } map { $_->{time} } (requests($channel), requests('STOPPED'));
            my ($next) = grep { $_ > $control->get('killed_at') / 1e9 } @times;
            push @gaps, $next - $control->get('killed_at') / 1e9 if $next;
        }
    }

    wait_for { $server->workers == 2 } 5 or push @wrong, 'there are ' . scalar($server->workers) . ' workers';

    $rounds++;
    return $count, map { sprintf '%s (%s): %s (tools/test --quick --kill-at %s t/fault/kill.t)', $point, $control->text('call', 31), $_, $point } @wrong;
}

my @wrong;

if ($ENV{CAMPAIGN_TEST_KILL}) {
    my ($k, @may) = $ENV{CAMPAIGN_TEST_KILL} =~ /\A(\d+)(a?)(r?)(o?)\z/ or BAIL_OUT("--kill-at $ENV{CAMPAIGN_TEST_KILL}: no point");
    (undef, @wrong) = round($k, map { $_ ? 1 : 0 } @may);

} else {
    my ($all, $reloaded);
    ($all, @wrong) = round(0, 0, 0, 0);
    ($reloaded, my @more) = round(0, 0, 1, 0);
    push @wrong, @more;

    if (long()) {
        for my $k (1 .. $all * 1.05) {
            for my $after (0, 1) { push @wrong, (round($k, $after, 0, $_))[1 .. 1] for 0, 1 }
        }
        for my $k (map { 1 + 5 * $_ } 0 .. $reloaded / 5) {
            push @wrong, (round($k, $_, 1, $k % 2))[1 .. 1] for 0, 1;
        }
        @wrong = grep { defined } @wrong;

    } else {
        my $until = time + $seconds;
        while (time < $until && $rounds < 62) {
            my $reload = chance(4) == 0 ? 1 : 0;
            (undef, my @more) = round(1 + chance($reload ? $reloaded : $all), chance(2), $reload, chance(3) == 0 ? 1 : 0);
            push @wrong, @more;
        }
    }
    note "$all calls a round, $reloaded with a reload";
}

cmp_ok($unheard, '<=', 1 + $rounds / 100, "calls that nobody accepted are few: $unheard");
is(scalar @wrong, 0, "$rounds rounds, $killed workers killed: nothing lost, doubled or miscounted");
diag $_ for @wrong[0 .. ($#wrong > 30 ? 30 : $#wrong)];
is($server->alerts(qr/exited on signal 9/), '', 'the log tells of those that were killed, and of nothing else');

# one that is slow is the machine's, by no more than what that lost
my @slow = sort { $b->{took} <=> $a->{took} } @took;
my @late = map { sprintf '%s: %.0f ms, of which the machine lost %.0f', $_->{point}, 1000 * $_->{took}, 1000 * $_->{lost} }
    grep { $_->{took} - $_->{lost} > 0.1 } @slow;

if (!$ENV{CAMPAIGN_TEST_KILL}) {
    cmp_ok($killed, '>=', $rounds / 2, 'workers were killed in most rounds');
    cmp_ok(scalar @took, '>=', $killed / 4, 'and many of them were the dispatcher');
    cmp_ok($off, '>=', $rounds / 6, 'in a part of the rounds nothing may be sent again');
    cmp_ok($uncertain, '>', 0, 'and in some of those something was in flight');
    cmp_ok($slow[@slow / 2]{took}, '<=', 0.03, 'another worker took over within 30 ms, as a rule');
}
is_deeply(\@late, [], 'and always within 100 ms, and what the machine lost');
diag sprintf '%d rounds, %d workers killed, %d of them the dispatcher: takeover %.0f ms (median), %.0f ms at most (%s, of which the machine lost %.0f), '
    . 'next message after %.0f ms at most; %d rounds without redelivery, %d messages uncertain', $rounds, $killed, scalar @took,
    @slow ? (1000 * $slow[@slow / 2]{took}, 1000 * $slow[0]{took}, $slow[0]{point}, 1000 * $slow[0]{lost}) : (0, 0, '-', 0), 1000 * max(0, @gaps),
    $off, $uncertain;
note join ' ', map { "$_ $calls{$_}" } sort keys %calls;

$watch->end;
ok($server->quit, 'the server ends');
sound(store_dir());
done_testing();
