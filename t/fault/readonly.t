# A file system that takes no more writes, as the kernel makes it after an error (errors=remount-ro): what is there is read, what would change it is
# refused with 503, nothing is claimed, nobody dies, the log says so once.  Checked and mounted again, the campaign goes on where it was.  And one
# that is mounted read-only when nginx starts.  The file system is the test's own, in a mount namespace of its own.

use v5.10.1;
use strict;
use warnings;

use lib 't/lib';
use Campaign::Mounts;
use Campaign;
use Campaign::Fault;
use Campaign::Sending;
use Campaign::Server;
use HTTP::Tiny ();
use Test::More;
use Time::HiRes qw(sleep time);

my $store = store_dir();
my $image = "$store.image";
my ($rate, $burst, $many) = (300, 10, 2400);
my $seconds = long() ? 70 : 6;                  # that it lasts; the log may say so again after a minute

END { unlink $image if $image }

sub shell { system("($_[0]) >/dev/null 2>&1") >> 8 }

mounts_only();
plan(skip_all => 'an ext4 cannot be mounted here')
    if shell("truncate -s 64m '$image' && mkfs.ext4 -q -m 0 '$image' && mount -o loop '$image' '$store' && chmod 0700 '$store'");

gateway(sub { { delay => 0.05 } });

my $server = Campaign::Server->new(workers => 2, server => channel('READONLY', 'concurrency=32') . <<'END');
location = /status { campaign_status; }
location = /receipts { campaign_receipts; }
campaign_webhook /_webhook allow=127.0.0.1;
location /_webhook {
    internal;
    resolver 127.0.0.1;
    proxy_pass $campaign_webhook_url;
    proxy_method POST;
    proxy_set_header Host $campaign_webhook_host;
    proxy_set_header Idempotency-Key $campaign_webhook_id;
    proxy_set_body $campaign_body;
}
END

my $url = "http://127.0.0.1:$ENV{TEST_NGINX_SERVER_PORT}";
my $account = account(rate => $rate, burst => $burst);
my $template = $account->make('/templates', { name => 'kept', text => 'x', channel => 'READONLY' });
my $hook = $account->make('/webhooks', { url => 'http://127.0.0.1:' . gateway()->port . '/hook', event => 'delivery' });
my $c = start($account, 'READONLY', to => [numbers($many)]);

sub status { decode(HTTP::Tiny->new->get("$url/status")->{content})->{data} }

# what the log has said since then
my $from = 0;
sub from_now { $from = length $server->log_text }
sub said { grep { /\[(?:warn|error|crit|alert|emerg)\]/ } split /\n/, substr $server->log_text, $from }
sub told { [map { s/\A\S+ \S+ //r } said()] }

# lines of a worker that tries each second to open its store: of the first tries, then of the 2nd, 4th, 8th …
sub often { 4 + log(1 + $_[0]) / log 2 }

# one call on a connection of its own, which any worker may take
sub asked {
    my ($method, $path, $body) = @_;
    my $r = nobody($account->key)->call($method => $path, $body);
    return $r->envelope_fault // join ' ', $r->status, $r->status < 300 ? () : $r->codes if $r->status >= 300;
    return $r->status;
}

my @reads = ([GET => "/campaigns/$c->{id}"], [GET => '/templates'], [GET => "/messages?campaign_id=$c->{id}&page_size=1"]);
my @writes = ([POST => '/templates', { text => 'x', channel => 'READONLY' }], [PATCH => "/templates/$template->{id}", { text => 'y' }],
    [DELETE => "/templates/$template->{id}"], [POST => '/campaigns', { from => 'Acme', channel => 'READONLY', text => 'x', to => [numbers(5)] }],
    [PATCH => "/campaigns/$c->{id}", { status => 'paused' }]);

my $enroute;                                    # claimed, and not recorded when it happened

subtest 'a file system that becomes read-only in mid-campaign' => sub {
    ok(wait_for(sub { requests('READONLY') >= 200 }), 'a campaign is under way');
    my @workers = sort $server->workers;
    from_now();

    is(shell("mount -o remount,abort '$store'"), 0, 'its file system is as after an error');
    isnt(shell("touch '$store/other'"), 0, 'it takes no writes');
    ok(wait_for(sub { said() }, 5), 'the log says so');
    ok(wait_for(sub { status()->{gateways}[0]{in_flight} == 0 }, 5), 'what was in flight ends');

    my $r = wait_for { my $r = nobody($account->key)->get("/campaigns/$c->{id}"); $r->status == 200 && $r };
    my $n = $r->data->{messages};
    my $sent = requests('READONLY');
    $enroute = $n->{enroute};
    cmp_ok($sent, '<=', $n->{sent} + $enroute, 'no message went out that was not claimed');

    my $told = requests('HOOK');
    my (%got, $calls);
    my $receipt = (requests('READONLY'))[0]{id};
    my $until = time + $seconds;
    while (time < $until) {
        $got{"a read: $_"}++ for map { asked(@$_) } @reads;
        $got{"a write: $_"}++ for map { asked(@$_) } @writes;
        my $r = HTTP::Tiny->new->post_form("$url/receipts", { id => $receipt, status => 'delivered' });
        $got{"a receipt: $r->{status}"}++;
        $calls += @reads + @writes + 1;
        sleep 0.05;
    }
    # LMDB gives a file up whose meta page it could not write: a worker that was about to has to open it again, and cannot
    my $lost = grep { /is opened again: MDB_PANIC/ } said();
    cmp_ok($lost, '<=', 1, 'a commit was under way in one worker at most');
    ok(delete $got{'a read: 503 1011'}, 'this one refuses reads, too') if $lost;
    is(join(', ', sort keys %got), 'a read: 200, a receipt: 503, a write: 503 1011', 'reads are answered, writes and receipts refused');
    is(scalar requests('READONLY'), $sent, 'nothing is sent');
    is(scalar requests('HOOK'), $told, 'nor is a webhook called, for it could not be recorded');
    is(join(' ', sort $server->workers), "@workers", 'the workers live');

    my $d = status()->{dispatcher};
    is($d->{up}, 1, 'campaign_status is answered');
    cmp_ok($d->{turns_failed}, '>', 0, 'and tells of turns that failed');

    my $times = 1 + int($seconds / 60);
    my @said = said();
    my @disk = grep { /takes no writes \(.*Read-only file system\): the kernel's log says why, check its file system and mount it anew/ } @said;
    cmp_ok(scalar @disk, '>=', 1, 'the log tells what is to be done');
    cmp_ok(scalar @disk, '<=', 2 * $times, 'each worker says so once a minute, however many calls it refuses');
    is(scalar(grep { /campaign dispatcher: the store takes no turn/ } @said), 1, 'the dispatcher says once that nothing is claimed');
    my @open = grep { /is opened again: MDB_PANIC|cannot be opened: .*check it and mount it anew/ } @said;
    cmp_ok(scalar @open, '<=', $lost * often($seconds), 'and one that has to open the store again says so, more and more seldom');
    is(@said - @disk - @open, 1, 'nothing else is said') or diag explain told();
    diag sprintf '%d calls, %d lines in the log%s; sent %d, of which %d are not recorded', $calls, scalar @said, $lost ? ', one worker has lost the store' : '',
        $sent, $enroute;
};

subtest 'meanwhile nginx is reloaded, and stopped' => sub {
    my @old = $server->workers;
    my $at = time;
    from_now();
    $server->signal('HUP');
    ok(Campaign::Server::gone(15, @old), 'the old workers end');
    my $took = time - $at;
    ok(wait_for(sub { 4 <= grep { /cannot be opened/ } said() }, 5), 'the new ones cannot open the store');
    sleep 2;                                    # the tries of some seconds

    my %got;
    $got{ asked(@$_) }++ for @reads, @writes;
    is(join(', ', keys %got), '503 1011', 'they refuse all calls');
    is($server->workers, 2, 'and live');

    my @open = grep { m{campaign store "\Q$store\E" cannot be opened: .*check it and mount it anew} } said();
    cmp_ok(scalar @open, '<=', 2 * often(time - $at), 'they say why, at each try at first, then more and more seldom');
    is(scalar(grep { /what became of \d+ messages is not on record/ } said()), 1, 'the old dispatcher has said what it could not record');

    ok($server->quit, 'the server ends');
    diag sprintf 'old workers ended after %.1f s, %d tries are in the log after %.1f s', $took, scalar @open, time - $at;
};

subtest 'the file system is checked and mounted anew' => sub {
    is(shell("umount '$store'"), 0, 'nobody holds it');
    cmp_ok(shell("e2fsck -y '$image'"), '<=', 1, 'it is checked');
    is(shell("mount -o loop '$image' '$store'"), 0, 'and mounted');
    sound($store, 'the store is sound as it was left');

    from_now();
    $server->start;
    is(counts(settled($account, $c, 30)), "completed: $many sent of $many", 'the campaign goes on, and ends');

    my @r = requests('READONLY');
    my %to = map { $_ => 1 } sent_by(@r);
    is(join(',', sort keys %to), join(',', numbers($many)), 'each number was reached');
    is(scalar(keys %{ { map { $_->{id} => 1 } @r } }), $many, 'a repeat has the id of the first');
    cmp_ok(@r - $many, '<=', $enroute, 'repeats are at most what was in flight');
    cmp_ok(most(1, sort { $a <=> $b } map { $_->{header}{'x-sent'} } @r), '<=', $rate * 1.005 + $burst, 'no second holds more than rate and burst');

    ok(wait_for(sub { $account->get("/webhooks/$hook->{id}")->data->{waiting} == 0 }, 20), 'the webhook is called');
    my %of = map { decode($_->{body})->{data}{message_id} => 1 } requests('HOOK');
    is(scalar keys %of, $many, 'for each message');
    cmp_ok(requests('HOOK') - $many, '<=', 16, 'repeats are at most what was on its way');
    is_deeply(told(), [], 'nothing in the log');
    is(asked(@{ $writes[0] }), 201, 'what is new is kept');
    ok($server->quit, 'the server ends');
    sound($store);
    diag sprintf '%d repeats, %d of webhooks', @r - $many, requests('HOOK') - $many;
};

subtest 'nginx is started on a file system that is mounted read-only' => sub {
    is(shell("mount -o remount,ro '$store'"), 0, 'it is read-only');
    from_now();
    $server->start;
    ok(wait_for(sub { said() }, 5), 'the log says so');
    like(told()->[0], qr{\A\[emerg\] .*campaign store "\Q$store\E" cannot be opened: .*its file system is read-only: .*mount it anew}, 'and what is to be done');
    is(asked(@{ $reads[0] }), '503 1011', 'calls are refused');
    is(HTTP::Tiny->new->get("$url/ready")->{status}, 204, 'what is not of the store is served');

    is(shell("mount -o remount,rw '$store'"), 0, 'it takes writes again');
    ok(wait_for(sub { asked(@{ $reads[0] }) eq 200 }, 5), 'the store is opened at once');
    my $before = requests('READONLY');
    my $again = start($account, 'READONLY', to => [numbers(20)]);
    is(counts(settled($account, $again)), 'completed: 20 sent of 20', 'and a campaign is sent');
    is(requests('READONLY') - $before, 20, 'once');
    ok($server->quit, 'the server ends');
    sound($store);
};

is($server->alerts(qr/takes no writes|cannot be opened/), '', 'nothing else in the log');
shell("umount '$store'");
done_testing();
