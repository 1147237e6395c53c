# Two servers, each with its own master, on one store, and the lock that keeps their dispatchers apart is removed while both run, time after time:
# the new workers of the one take over from the other, which runs on.  Nothing is sent twice, the older dispatcher stops and says so.

use v5.10.1;
use strict;
use warnings;

use lib 't/lib';
use Campaign;
use Campaign::Fault;
use Campaign::Sending;
use Campaign::Server;
use File::Path qw(make_path remove_tree);
use Test::More;
use Time::HiRes qw(time);

gateway(sub { { delay => 0.01 } });

my $server = Campaign::Server->new(workers => 2, http => "campaign_redelivery off;\n", server => channel('TWO', 'concurrency=64'));

# the same configuration, elsewhere
my $root = $ENV{TEST_NGINX_SERVROOT};
my $other = bless { map({ $_ => $server->{$_} =~ s/\Q$root\E/$root-other/r } qw(conf log pid)), env => {} }, 'Campaign::Server';
my $port = $ENV{TEST_NGINX_SERVER_PORT} + 2;
{
    open my $in, '<', $server->{conf} or die $!;
    my $conf = do { local $/; <$in> } =~ s/\Q$root\E\//$root-other\//gr =~ s/listen 127\.0\.0\.1:\K\d+/$port/r;
    remove_tree("$root-other");
    make_path("$root-other/conf", "$root-other/logs");
    open my $out, '>', $other->{conf} or die $!;
    print $out $conf;
}
system($ENV{TEST_NGINX_BINARY}, '-p', "$root-other/", '-c', $other->{conf}, '-e', $other->{log}) == 0 or die 'the other one does not start';
ok(wait_for(sub { -s $other->{pid} && ($other->{master} = $other->master) && $other->workers == 2 }), 'two servers run');

my ($rate, $burst, $many) = (400, 40, 3000);
my $account = account(rate => $rate, burst => $burst);
my $c = start($account, 'TWO', to => [numbers($many)]);

sub takeovers { my $log = $server->log_text . $other->log_text; return scalar(() = $log =~ /dispatcher: took over/g) }

my $removed = 0;
for my $n (map { 400 * $_ } 1 .. 6) {
    ok(wait_for(sub { requests('TWO') >= $n }), "$n are sent");
    my $before = takeovers();
    my ($idle) = grep { my $s = $_; !grep { $_ == ($server->dispatcher // 0) || $_ == ($other->dispatcher // 0) } $s->workers } $server, $other;
    unlink store_dir() . '/dispatcher.lock' and $removed++;
    ($idle // $other)->signal('HUP');
    ok(wait_for(sub { takeovers() > $before }), 'the lock is removed: another dispatcher takes over');
}
is($removed, 6, 'six times');

my $end = settled($account, $c, 30);
my $m = $end->{messages};
is($m->{sent} + $m->{failed}, $many, 'each message is sent, or failed since nobody knows');
cmp_ok($m->{failed}, '<=', 6 * 64, 'no more of these than were in flight');
is($m->{uncertain} // $m->{failed}, $m->{failed}, 'for that reason alone');

my @r = requests('TWO');
my %n;
$n{ $_->{id} }++ for @r;
is(scalar(grep { $_ > 1 } values %n), 0, 'nothing is sent twice');
cmp_ok(scalar(@r), '>=', $m->{sent}, 'what is sent was sent');
cmp_ok(most(1, sort { $a <=> $b } map { $_->{time} } @r), '<=', $rate + $burst + $rate * 0.1, 'no second holds more than rate and burst, give or take 100 ms');

my $fenced = wait_for { my $n = () = ($server->log_text . $other->log_text) =~ /a newer one took over from epoch \d+/g; $n == 6 && $n };
is($fenced, 6, 'who was there before says that it stops');
note sprintf '%d requests, %d uncertain', scalar @r, $m->{failed};

ok($_->quit, 'a server ends') for $other, $server;
is($_->alerts, '', 'nothing in its log') for $other, $server;
sound(store_dir());
done_testing();
