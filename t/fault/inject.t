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
use Campaign::Sending;
use Campaign::Server;
use Campaign::Source;
use Errno ();
use Test::More;
use Time::HiRes qw(sleep time);

plain_only();

my $seconds = 18;                               # of the short form

my %what = (
    memory => [1, Errno::ENOMEM, 0], 'memory-on' => [1, Errno::ENOMEM, 1],
    (map { $_ => [2, Errno->can($_)->(), 0], "$_-on" => [2, Errno->can($_)->(), 1] } qw(ENOSPC EIO EDQUOT EROFS)),
    EINTR => [2, Errno::EINTR, 0], short => [2, 1000, 0],
    EMFILE => [3, Errno::EMFILE, 0], 'EMFILE-on' => [3, Errno::EMFILE, 1],
);

gateway(sub { 200 });

my $file = store_dir() =~ s/-store\z/-fail/r;
my $env = preload('preload_fail.so', $file, 4096);
$env->{CAMPAIGN_FAULT_STORE} = store_dir() . '/data.mdb';
my $control = control($file, qw(what n on error count hits));

my $server = Campaign::Server->new(workers => 1, env => $env, server => channel('SMS', 'concurrency=8'));
my ($worker) = $server->workers;
my $account = account(rate => 100000, burst => 1000);
my $spare = account();
$account->sender;


# kinds of requests: those of the tables of routes, with an object of their own each time, and some that take other ways
my $made = 0;
my $later = '2100-01-01 00:00:00';

my $client;         # who owns the object, unless that is $account
my %make = (
    campaigns => sub { $account->campaign->{id} },
    audiences => sub { $account->audience->{id} },
    templates => sub { $account->template->{id} },
    senders   => sub { $account->sender(name => 'S' . ++$made)->{id} },
    contacts  => sub { $account->make("/audiences/$_[0]/contacts", { number => '' . (15570000000 + ++$made) })->{id} },
    messages  => sub { $account->make('/messages', { from => 'Acme', channel => 'SMS', text => 'x', to => ['15551234567'], schedule => $later })->[0]{id} },
    suppressions => sub { my $n = '' . (15580000000 + ++$made); $account->make('/suppressions', { number => $n }); $n },
    webhooks  => sub { my $each = account(); $client = $each; $each->make('/webhooks', { url => 'http://203.0.112.1/', event => 'message' })->{id} },
    accounts  => sub { account()->id },
    keys      => sub { admin()->post("/accounts/$_[0]/keys", { scope => 'read' })->data->{id} },
);

my %body = (
    'POST campaigns' => sub { { from => 'Acme', channel => 'SMS', text => 'Hello', to => ['15551234567', '15551234568'], schedule => $later } },
    'PUT campaigns/{id}' => sub { { name => 'renamed ' . ++$made } },
    'PATCH campaigns/{id}' => sub { { status => 'canceled' } },
    'POST messages' => sub { { from => 'Acme', channel => 'SMS', text => 'Hello', to => ['15551234567'] } },
    'POST audiences' => sub { { name => 'a' . ++$made, channel => 'SMS', contacts => [map { { number => 15550000000 + $_ . '' } } 1 .. 20] } },
    'PUT audiences/{id}' => sub { { name => 'b' . ++$made } },
    'PATCH audiences/{id}' => sub { { name => 'b' . ++$made } },
    'POST audiences/{id}/contacts' => sub { { number => '15559999999', first_name => 'Ann', tags => ['x', 'y'] } },
    'PUT audiences/{id}/contacts/{id}' => sub { { number => '15559999998', first_name => 'Bob' } },
    'PATCH audiences/{id}/contacts/{id}' => sub { { first_name => 'Bob' } },
    'POST templates' => sub { { text => 'Hello {first_name}', channel => 'SMS' } },
    'PUT templates/{id}' => sub { { text => 'Bye' } },
    'PATCH templates/{id}' => sub { { text => 'Bye' } },
    'POST webhooks' => sub { $client = account(); { url => 'http://203.0.112.1/', event => 'delivery', secret => 'secret' } },
    'PUT webhooks/{id}' => sub { { url => 'http://203.0.112.2/' } },
    'PATCH webhooks/{id}' => sub { { status => 'disabled' } },
    'POST suppressions' => sub { { number => '' . (15580000000 + ++$made) } },
    'POST senders' => sub { { name => 'S' . ++$made, channel => 'SMS' } },
    'POST accounts' => sub { { name => 'x' . ++$made, rate => 5 } },
    'PUT accounts/{id}' => sub { { rate => 7 } },
    'PATCH accounts/{id}' => sub { { rate => 8 } },
    'POST accounts/{id}/keys' => sub { { scope => 'read' } },
);

# name => a function that gives client, method, path, body, headers
my %kinds;
my @unknown;

for my $route (routes('api'), routes('admin')) {
    my ($method, $path, $asks) = (@$route{qw(method path)}, $route->{service} eq 'admin' ? admin() : $account);
    my $name = "$method $path";
    my @needs = $path =~ m{(\w+)/\{\w+\}}g;

    if (grep({ !$make{$_} } @needs) || ($method =~ /^P/ && !$body{$name})) {
        push @unknown, $name;
        next;
    }
    $kinds{$name} = sub {
        my ($at, @ids) = $path;
        $client = $asks;
        for my $kind (@needs) { push @ids, $make{$kind}->(@ids); $at =~ s/\{\w+\}/$ids[-1]/ }
        my $body = $body{$name} ? $body{$name}->() : undef;
        return ($client, $method, "/$at", $body);
    };
}

$kinds{'POST keyed'} = sub { ($account, POST => '/templates', $body{'POST templates'}->(), 'Idempotency-Key' => 'key ' . ++$made) };
$kinds{'POST again'} = sub {
    my @request = ($account, POST => '/templates', { text => 'once', channel => 'SMS' }, 'Idempotency-Key' => 'key ' . ++$made);
    $request[0]->call(@request[1 .. $#request]);
    return @request;
};
$kinds{'POST large'} = sub { ($account, POST => '/campaigns', { %{ $body{'POST campaigns'}->() }, to => [map { 15550000000 + $_ . '' } 1 .. 6000] }) };
$kinds{'POST csv'} = sub { ($account, POST => '/audiences/' . $make{audiences}->() . '/contacts', join("\n", 'number,first_name', map { 15550000000 + $_ . ",n$_" } 1 .. 300), 'Content-Type' => 'text/csv') };
$kinds{'POST ndjson'} = sub { ($account, POST => '/audiences/' . $make{audiences}->() . '/contacts', join("\n", map { json({ number => 15550000000 + $_ . '' }) } 1 .. 300), 'Content-Type' => 'application/x-ndjson') };
$kinds{'GET csv'} = sub { ($account, GET => '/audiences/' . $account->audience(contacts => [map { { number => 15550000000 + $_ . '' } } 1 .. 300])->{id} . '/contacts', undef, Accept => 'text/csv') };
$kinds{sending} = undef;


my ($tries, $hits, @wrong, %ends, %counted) = (0, 0);

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
            my %to = map { $_ => 1 } sent_by(@r[$before .. $#r]);
            push @wrong, keys(%to) . ' reached' if keys %to != 12;
        }
        return ([@wrong, look()], @calls);
    }

    my ($client, @request) = $kinds{$kind}->();
    arm($what, $n);
    $r = $client->call(@request);
    my @calls = disarm();

    $ends{ $r->status }++ if $n;
    if ($r->status == 599) {
        push @wrong, 'no answer' if $what{$what}[0] == 2;
    } elsif ($r->status >= 500) {
        my $fault = $r->envelope_fault;
        push @wrong, 'status ' . $r->status . ", $fault" if defined $fault;
        push @wrong, 'status 500 for what the disk does' if $r->status == 500 && $what =~ /\A(?:E(?:NOSPC|IO|DQUOT|ROFS)|short)/;
    } elsif ($r->status >= 300) {
        push @wrong, 'status ' . $r->status . ' ' . substr $r->body, 0, 300;
    } elsif ($r->status == 201 && $request[1] =~ m{^/(\w+)\z} && ref $r->data eq 'HASH' && $r->data->{id}) {
        my $there = $client->get("/$1/" . $r->data->{id});
        push @wrong, 'said 201, and it is not there: ' . $there->status if $there->status != 200;
    }
    return ([@wrong, look($what{$what}[0] == 2 || $tries % 4 == 0)], @calls);
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

    while (time < $until) {
        my ($kind, $what) = (pick(1, sort keys %kinds), pick(1, @all));
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

is(scalar @wrong, 0, "$tries tries, $hits of which failed at their point: nothing was wrongly told, lost or left broken");
diag $_ for @wrong[0 .. ($#wrong > 30 ? 30 : $#wrong)];
diag "$tries tries, $hits of them with a fault: " . join ', ', map { "$ends{$_} x $_" } sort keys %ends;
note 'no recipe for ' . join ', ', @unknown if @unknown;

like($server->log_text, qr/\A(?:(?!exited on signal|Sanitizer|runtime error)[^\n]*\n)*\z/, 'nobody died');
ok($server->quit, 'the server ends');
sound(store_dir());
done_testing();
