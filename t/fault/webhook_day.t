# A receiver of webhooks is down for a day, while events for it go on to come: the queue stays within its bound, what it drops is counted, tries
# get rarer, nobody else waits, and what is left is told in the end.  The date is moved under the server: the day takes less than a minute.

use v5.10.1;
use strict;
use warnings;

use lib 't/lib';
use Campaign;
use Campaign::Fault;
use Campaign::Sending;
use Campaign::Server;
use List::Util qw(max);
use POSIX ();
use Test::More;
use Time::HiRes qw(time);

plain_only();

my $bound = 100_000;
my ($env, $clock) = moved_date();
my $ahead = 0;

my $slow = 0.05;
gateway(sub { my $r = shift; $r->{path} =~ /down/ && !$r->{told}{up} ? { status => 503, delay => $r->{path} =~ /storm/ ? $slow : 0 } : 200 });

my $server = Campaign::Server->new(workers => 2, env => $env, server => channel('HEARD', 'receipts=off concurrency=1024', 'return 204;') . <<'END');
campaign_webhook /_webhook allow=127.0.0.1;
location /_webhook {
    internal;
    proxy_pass $campaign_webhook_url;
    proxy_set_header Host $campaign_webhook_host;
    proxy_set_header Connection "";
    proxy_set_header Idempotency-Key $campaign_webhook_id;
    proxy_set_header webhook-timestamp $campaign_webhook_timestamp;
}
END

sub hook { my ($account, $path) = @_; $account->make('/webhooks', { url => 'http://127.0.0.1:' . gateway()->port . "/$path", event => 'delivery' })->{id} }
sub look { my ($account, $id) = @_; $account->get("/webhooks/$id")->data }
sub told { scalar gateway()->requests('/well') }

sub send_to {
    my ($account, $n) = @_;
    my $c = settled($account, start($account, 'HEARD', to => [numbers($n)]), 60);
    is(counts($c), "completed: $n delivered of $n", "a campaign to $n") if $n > 100;
}

my ($storm, $few, $well) = (account(rate => 1_000_000, burst => 1_000_000), account(), account());
my ($storm_hook, $few_hook, $well_hook) = (hook($storm, 'down/storm'), hook($few, 'down/few'), hook($well, 'well'));

# moves the date, and waits until no event of the account with few is due any more
sub later {
    $ahead += shift;
    $clock->set(seconds => $ahead);
    wait_for { (look($few, $few_hook)->{next_date} // '9') gt POSIX::strftime('%Y-%m-%d %H:%M:%S', gmtime time + $ahead) } 20
        or diag "an event is not tried at $ahead s";
}

my ($made, $most, $slowest, $healthy) = (0, 0, 0, 0);

send_to($few, 3);
my $start = time;
for (1 .. 2) {
    send_to($storm, 51_000);
    $made += 51_000;
}
my $w = look($storm, $storm_hook);
is("$w->{waiting} $w->{dropped}", "$bound " . ($made - $bound), 'the queue is full, the oldest are dropped and counted');

# the day: ten seconds at a time in the first ten minutes, then ten minutes at a time; events come all day
my $began = time;
for my $step (1 .. 60, map { 60 + $_ } 1 .. 143) {
    later($step <= 60 ? 10 : 600);
    next if $step % 12;

    send_to($storm, 100);
    $made += 100;
    my $before = time;
    send_to($well, 2);
    $healthy += 2;
    wait_for { told() == $healthy } 10;
    $slowest = max($slowest, time - $before);
    $most = max($most, look($storm, $storm_hook)->{waiting});
}
is($ahead, 86_400, 'a day has passed');
my $took = time - $began;
cmp_ok($took, '<', 120, 'in less than two minutes');

$w = look($storm, $storm_hook);
is($most, $bound, 'the queue never was longer than its bound');
is($w->{waiting}, $bound, 'nor shorter');
is($w->{dropped}, $made - $bound, 'every event more is a dropped one');
is("$w->{failed} $w->{last_result} $w->{last_code}", '0 status 503', 'none is given up within a day; the webhook says what is wrong');
is(told(), $healthy, 'a healthy account is told of all of its events');
cmp_ok($slowest, '<', 2, 'at once, all day');
is(look($well, $well_hook)->{waiting}, 0, 'nothing of it waits');

# tries of each event of the account with few: as the contract has them, and no sooner
my @wait = (5, 300, 1800, 7200, 18_000, 36_000);
my %at;
push @{ $at{ $_->{id} } }, $_->{header}{'webhook-timestamp'} for gateway()->requests('/down/few');
is(scalar keys %at, 3, 'three events of another account');
for my $id (sort keys %at) {
    my @at = @{ $at{$id} };
    is(scalar @at, 1 + @wait, 'each was tried seven times that day');
    my @early = grep { $at[$_ + 1] - $at[$_] < $wait[$_] } 0 .. $#wait;
    my @late = grep { $at[$_ + 1] - $at[$_] > $wait[$_] * 1.1 + ($wait[$_] < 300 ? 20 : 620) } 0 .. $#wait;
    is("@early|@late", '|', 'after 5 s, 5 min, 30 min, 2 h, 5 h and 10 h') or diag join ' ', map { $at[$_ + 1] - $at[$_] } 0 .. $#at - 1;
}
my $calls = () = gateway()->requests('/down/storm');
cmp_ok($calls, '<=', (time - $start) / $slow + 16, 'and the other one was called with one event at a time, after the first sixteen');

# it comes back
gateway()->tell('up');
later(86_400);
ok(wait_for(sub { look($few, $few_hook)->{waiting} == 0 }, 20), 'it is back: what waited is told');
is(look($few, $few_hook)->{failed}, 0, 'nothing was lost');
ok(wait_for(sub { look($storm, $storm_hook)->{waiting} <= $bound - 1000 }, 60), 'and the long queue gets shorter');
$w = look($storm, $storm_hook);
my %done = map { $_->{id} => 1 } grep { $_->{told}{up} } gateway()->requests('/down/storm');
is("$w->{failed} $w->{last_result} " . ($w->{dropped} + $bound), "0 delivered $made", 'nothing more is dropped');
diag(sprintf "day: %.1f s, %d events made, %d dropped, %d calls to the dead receiver, healthy one told within %.3f s", $took, $made, $w->{dropped}, $calls, $slowest);
is($server->alerts, '', 'nothing in the log');

done_testing();
