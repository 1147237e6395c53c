# Memory, file operations and descriptors that fail at any point of any request: the answer is right or says 500, 503 or 507 in the API's own form,
# never that it was the client's mistake; the worker lives on, the next request is answered, the store is sound.
#
# A point is kind/what/n: kind of request (method and route), what fails (memory, memory-on: from then on, an errno of the store's files, EMFILE), the
# n-th call.  tools/test --fail-at 'POST templates/memory/17' runs that one alone.

use v5.10.1;
use strict;
use warnings;

use lib 't/lib';
use Campaign;
use Campaign::Chance;
use Campaign::Fault;
use Campaign::Hold;
use Campaign::Kinds;
use Campaign::Sending;
use Campaign::Server;
use Errno ();
use IO::Socket::INET;
use Test::More;
use Time::HiRes qw(sleep time);

plain_only();

my $seconds = 18;                               # of the short form

my %what = (
    memory => [1, Errno::ENOMEM, 0], 'memory-on' => [1, Errno::ENOMEM, 1],
    (map { $_ => [2, Errno->can($_)->(), 0], "$_-on" => [2, Errno->can($_)->(), 1] } qw(ENOSPC EIO EDQUOT EROFS)),
    EINTR => [2, Errno::EINTR, 0], short => [2, 1000, 0],
    fdatasync => [4, Errno::EIO, 0], 'fdatasync-on' => [4, Errno::EIO, 1],
    EMFILE => [3, Errno::EMFILE, 0], 'EMFILE-on' => [3, Errno::EMFILE, 1],
);

# what an answer may be, if it is not as without the fault.  A sync that is interrupted is no fault of the disk's; EMFILE is nginx's, too
my %answers = (
    (map { $_ => '503', "$_-on" => '503' } qw(EIO EROFS fdatasync)), (map { $_ => '507', "$_-on" => '507' } qw(ENOSPC EDQUOT)),
    short => '503', EINTR => '500', (map { $_ => '500|503' } qw(memory memory-on EMFILE EMFILE-on)),
);
my $own = 16;           # allocations before there is who could answer: 5 or 6 of nginx for connection and request, and what the dispatcher needs meanwhile

gateway(sub { { close => 1 } });                # each message needs a descriptor

my $file = store_dir() =~ s/-store\z/-fail/r;
my $env = preload('preload_fail.so', $file, 4096);
$env->{CAMPAIGN_FAULT_STORE} = store_dir() . '/data.mdb';
my $control = control($file, qw(what n on error count hits));

my $server = Campaign::Server->new(workers => 1, env => $env, server => channel('SMS', 'concurrency=8'));
my ($worker) = $server->workers;
my $account = account(rate => 100000, burst => 1000);
my $spare = account();
$account->{senders}{SMS} = $account->sender;


# kinds of requests, and one that waits for what the gateway gets
my ($kinds, @unknown) = kinds($account);
my %kinds = (%$kinds, sending => undef);


my ($tries, $hits, @wrong, %ends, %counted, %hits, %tried) = (0, 0);

sub arm {
    my ($what, $n) = @_;
    $control->set(what => 0);
    $control->set(n => $n, on => $what{$what}[2], error => $what{$what}[1], count => 0, hits => 0);
    $control->set(what => $what{$what}[0]);
}

sub disarm { $control->set(what => 0); return ($control->get('count'), $control->get('hits')) }

# what is wrong with one try, and how many calls and failures there were
sub try_at {
    my ($kind, $what, $n) = @_;
    my (@wrong, $r);

    if ($kind eq 'sending') {
        my $before = requests('SMS');
        arm($what, $n);
        my $c = eval { start($account, 'SMS', to => [numbers(12)]) };
        wait_for { ($control->get('hits') && !$what{$what}[2]) || requests('SMS') >= $before + 12 } ($what{$what}[2] ? 0.3 : 0.6) if $c;
        my @calls = disarm();
        if ($c) {
            my $end = settled($account, $c, 10);
            push @wrong, counts($end) if counts($end) ne 'completed: 12 sent of 12';
            my @r = requests('SMS');
            my %mine = map { $_ => 1 } numbers(12);           # not what an earlier request sends late
            my %to = map { $_ => 1 } grep { $mine{$_} } sent_by(@r[$before .. $#r]);
            push @wrong, keys(%to) . ' reached' if keys %to != 12;
        }
        return ([@wrong, look()], @calls);
    }

    my ($client, @request) = $kinds{$kind}->();
    my $from = -s $server->{log};
    arm($what, $n);
    $r = $client->call(@request);
    my @calls = disarm();

    $ends{ $r->status }++ if $n;
    if ($r->status == 599) {
        # the connection was closed without an answer by a worker that lives (look() asks for its pid): there was no memory for one
        push @wrong, 'no answer' if $r->body =~ /Timed out/ || !($what eq 'memory-on' || ($what eq 'memory' && $n <= $own));
    } elsif ($r->status >= 500) {
        my $fault = $r->envelope_fault;
        push @wrong, 'status ' . $r->status . ", $fault" if defined $fault;
        # 507 where nothing of it stands; where LMDB could not write its meta page it may, and the store is opened again
        my $may = $what =~ /\A(?:ENOSPC|EDQUOT)/ && said_since($from) =~ /is opened again: MDB_PANIC/ ? '503|507' : $answers{$what};
        push @wrong, 'status ' . $r->status . " and not $may" if $r->status !~ /\A(?:$may)\z/;
    } elsif ($r->status >= 300) {
        push @wrong, 'status ' . $r->status . ' ' . substr $r->body, 0, 300;
    } elsif ($r->status == 201 && $request[1] =~ m{^/(\w+)\z} && ref $r->data eq 'HASH' && $r->data->{id}) {
        my $there = $client->get("/$1/" . $r->data->{id});
        push @wrong, 'said 201, and it is not there: ' . $there->status if $there->status != 200;
    }
    return ([@wrong, look($what{$what}[0] =~ /[24]/ || $tries % 4 == 0)], @calls);
}

sub said_since {
    open my $in, '<', $server->{log} or return '';
    seek $in, $_[0], 0;
    local $/;
    return <$in> // '';
}

# the worker lives, answers, and has kept its store sound
sub look {
    my ($check) = @_;
    my @wrong;
    wait_for { scalar $server->workers };
    my ($now) = $server->workers;
    if ($now != $worker) {
        push @wrong, 'the worker died';
        $worker = $now;
    }
    my $last;
    wait_for { $last = $spare->get('/senders'); $last->status == 200 } 3;
    push @wrong, 'the next request: ' . $last->status . ' ' . $last->body if $last->status != 200;
    # a store that was full for a moment looks for room each second
    wait_for { $last = $spare->post('/templates', { text => 'room', channel => 'SMS' }); $last->status == 201 } 5;
    push @wrong, 'nothing new is kept: ' . $last->status . ' ' . $last->body if $last->status != 201;
    if ($check) {
        my ($status, $said) = check(store_dir());
        push @wrong, "the store: $said" if $status;
    }
    return @wrong;
}

sub one {
    my ($kind, $what, $n) = @_;
    my ($wrong, $count, $hit) = eval { try_at($kind, $what, $n) };
    if (!$wrong) {
        disarm();
        ($wrong, $count, $hit) = (["the test's own requests: $@"], 0, 0);
    }
    $tries++;
    $hits += $hit ? 1 : 0;
    $hits{$what}++ if $hit;
    $tried{$kind}++ if $n;
    push @wrong, map { "$_ (tools/test --quick --fail-at '$kind/$what/$n' t/fault/inject.t)" } @$wrong;
    return ($count, $hit);
}

sub rss { open my $in, '<', "/proc/$worker/statm" or return 0; return (split ' ', <$in>)[1] * 4 }
sub fds { opendir my $dir, "/proc/$worker/fd" or return 0; return scalar grep { /\d/ } readdir $dir }

if (my $at = $ENV{CAMPAIGN_TEST_FAIL}) {
    my ($kind, $what, $n) = $at =~ m{\A(.*)/([\w-]+)/(\d+)\z} or BAIL_OUT("--fail-at $at: no point");
    exists $kinds{$kind} && $what{$what} or BAIL_OUT("--fail-at $at: no kind or fault; kinds are " . join ', ', sort keys %kinds);
    one($kind, $what, $n);

} elsif (long()) {
    for my $kind (sort keys %kinds) {
        for my $what (sort keys %what) {
            for (my $n = 1; $n < 5000; $n++) {
                my ($count, $hit) = one($kind, $what, $n);
                last if !$hit;
            }
        }
    }

} else {
    my @all = map { my $what = $_; ($what) x ($what{$what}[0] == 1 ? 6 : 1) } sort keys %what;
    my $until = time + $seconds;
    my ($fds, $rss);

    # few requests need a descriptor
    one('sending', $_, 1) for qw(EMFILE-on EMFILE);

    my @left;
    while (time < $until) {
        @left = pick(scalar keys %kinds, sort keys %kinds) if !@left;
        my ($kind, $what) = (shift @left, pick(1, @all));
        $counted{$kind}{ $what{$what}[0] } //= (one($kind, $what, 0))[0];
        one($kind, $what, 1 + chance($counted{$kind}{ $what{$what}[0] } + 1));

        # when some of all have been seen
        ($fds, $rss) = (fds(), rss()) if !$fds && time > $until - $seconds * 0.6;
    }
    my $spent = rss() - $rss;
    cmp_ok(fds(), '<=', $fds + 8, 'no descriptors are lost');
    cmp_ok($spent, '<', 16 * 1024, 'nor much memory');
    note "$spent kB more in the second half";
}

if (!$ENV{CAMPAIGN_TEST_FAIL}) {
    is(join(', ', grep { !$hits{$_} } sort keys %what), '', 'each kind of fault was hit');
    is(join(', ', grep { !$tried{$_} } sort keys %kinds), '', 'by some, and each kind of request was tried');
    note join ', ', map { "$_ x $hits{$_}" } sort keys %hits;
    group();
}
is(join(', ', @unknown), '', 'each route has a recipe');

# requests at once, each on a connection of its own: they wait for the lock of the store together, the first alone and the others as a group
sub at_once {
    my ($hold, $asks, @texts) = @_;
    my @clients;
    $hold->hold(700) or die 'no lock';
    for my $text (@texts) {
        my $body = json({ data => { text => $text, channel => 'SMS' } });
        my $socket = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$ENV{TEST_NGINX_SERVER_PORT}", Timeout => 5) or die "connect: $!";
        syswrite $socket, request(POST => '/v1/templates', [$asks->header, 'Connection: close', 'Content-Type: application/json'], $body);
        sleep 0.1 if !@clients;
        push @clients, $socket;
    }
    $hold->done or die 'the lock is kept';
    return map { my $socket = $_; local $/; (<$socket> // '') =~ m{\AHTTP/1.1 (\d+)} ? $1 : 599 } @clients;
}

sub group {
    my $asks = account();
    my $hold = Campaign::Hold->new;
    my $n = 12;
    my $total = sub { $asks->get('/templates')->page->{total} };

    arm('fdatasync-on', 1);
    my @got = at_once($hold, $asks, map { "a $_" } 0 .. $n);
    my (undef, $failed) = disarm();
    is(join(' ', @got), join(' ', ('503') x ($n + 1)), 'no sync succeeds: none of a group is told 2xx');
    # other work of the server may commit meanwhile
    cmp_ok($failed, '>=', $n + 2, 'they were a group: one commit of the first, one of all the others, then one of each');
    is($total->(), 0, 'the store has none of it');

    # a group that was not committed is taken apart: what fails once costs nobody anything
    arm('fdatasync', 2);
    @got = at_once($hold, $asks, map { "b $_" } 0 .. $n);
    (undef, $failed) = disarm();
    is(join(' ', @got), join(' ', ('201') x ($n + 1)), 'the sync of a group fails: each is kept in a commit of its own');
    is($failed, 1, 'it did fail');
    is($total->(), $n + 1, 'and the store has each once');

    is(join(' ', at_once($hold, $asks, map { "c $_" } 0 .. $n)), join(' ', ('201') x ($n + 1)), 'the next ones are kept');
    is($total->(), 2 * ($n + 1), 'all of them');
}

is(scalar @wrong, 0, "$tries tries, $hits of which failed at their point: nothing was wrongly told, lost or left broken");
diag $_ for @wrong[0 .. ($#wrong > 30 ? 30 : $#wrong)];
diag "$tries tries, $hits of them with a fault: " . join ', ', map { "$ends{$_} x $_" } sort keys %ends;
note 'no recipe for ' . join ', ', @unknown if @unknown;

like($server->log_text, qr/\A(?:(?!exited on signal|Sanitizer|runtime error)[^\n]*\n)*\z/, 'nobody died');
ok($server->quit, 'the server ends');
sound(store_dir());
done_testing();
