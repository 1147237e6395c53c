# kannel: messages a second of one worker, next to Kannel to the same HTTP gateway.
#
# In turns: a campaign is sent; wrk hands messages to smsbox for some seconds, bearerbox keeps them in its spool and sends them to the gateway, 256 at
# once, and the clock runs until the last has come.  Messages are counted by the gateway, from the first to the last.
# needs: wrk=wrk
# unpacks: bearerbox=kannel

use v5.10.1;
use strict;
use warnings;

use Bench;
use File::Path qw(make_path remove_tree);
use Time::HiRes qw(sleep);

my $rounds = of_quick(1, 3);
my $n = of_quick(20_000, 100_000);
my $seconds = of_quick(1, 3);

my $gateway = Bench::Gateway->new('kannel');
my $server = Bench::Server->new('kannel', gateway => $gateway);
my $client = $server->account;
my $audience = $server->audience($client, $n);

my $root = "$ENV{CAMPAIGN_BENCH_DIR}/kannel-boxes";
my ($admin, $boxes, $mo, $sendsms) = map { Bench::Process::free_port() } 1 .. 4;

remove_tree($root);
make_path("$root/spool");
open my $conf, '>', "$root/kannel.conf" or die "$root/kannel.conf: $!\n";
print $conf <<"END";
group = core
admin-port = $admin
admin-port-ssl = false
admin-password = bench
admin-allow-ip = 127.0.0.1
smsbox-port = $boxes
box-allow-ip = 127.0.0.1
log-file = $root/bearerbox.log
log-level = 3
store-type = spool
store-location = $root/spool

group = smsc
smsc = http
smsc-id = gateway
system-type = generic
port = $mo
connect-allow-ip = 127.0.0.1
send-url = "http://127.0.0.1:@{[ $gateway->port ]}/v1/messages?from=%P&to=%p&text=%b"
status-success-regex = "data"
max-pending-submits = 256

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = $sendsms
log-file = $root/smsbox.log
log-level = 3

group = sendsms-user
username = bench
password = bench
END
close $conf or die "$root/kannel.conf: $!\n";

sub port_opens {
    my $port = shift;
    wait_for(20, "Kannel (see $root)", sub { IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port) });
}

my $bearerbox = Bench::Process->unpacked("$root/bearerbox.out", 'bearerbox', '-v', '4', "$root/kannel.conf");
port_opens($boxes);
my $smsbox = Bench::Process->unpacked("$root/smsbox.out", 'smsbox', '-v', '4', "$root/kannel.conf");
port_opens($sendsms);

my $path = '/cgi-bin/sendsms?username=bench&password=bench&from=Acme&to=33199000000&text=Hello+Chloe,+our+sale+starts+today.';
wait_for(30, "Kannel takes no message (see $root)", sub {
    my $one = Bench::Client->new($sendsms);
    my ($status) = $one->talk($one->request(GET => $path));
    sleep 0.2 if $status != 202;
    return $status == 202;
});
wait_for(30, "Kannel sends no message (see $root)", sub { $gateway->count });

sub kannel {
    my $count = $gateway->count;
    $gateway->reset;
    my $got = Bench::Load::wrk("http://127.0.0.1:$sendsms$path", connections => 32, seconds => $seconds);
    my ($sent, $quiet) = (0, 0);
    while ($quiet < 10) {
        sleep 0.1;
        my $now = $gateway->count - $count;
        $quiet = $now == $sent ? $quiet + 1 : 0;
        $sent = $now;
    }
    die "Kannel accepted $got->{requests} messages and sent $sent\n" if $sent < $got->{requests};
    return $sent / $gateway->span * 1e9;
}

sub campaign {
    $gateway->reset;
    $server->send($client, $gateway, $audience, $n);
    return $n / $gateway->span * 1e9;
}

campaign();
my %got = rounds($rounds, kannel => \&kannel, campaign => \&campaign);

row('Kannel, bearerbox and smsbox', sprintf '%d/s', median(@{ $got{kannel} }));
row('one worker ÷ that', sprintf('%d/s', median(@{ $got{campaign} })), ratio => ratio($got{campaign}, $got{kannel}), least => 10);

$_->stop for $server, $smsbox, $bearerbox, $gateway;
remove_tree($root);
