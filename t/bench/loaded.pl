# loaded: reads of the API while a campaign is sent at full speed.
#
# wrk with 16 connections reads a campaign, one request after the other on each, with and without a campaign under way, by turns.  When it ends before
# wrk does, the next one is there already.
#
# Two cores are shared by the worker, its writer thread, the gateway and wrk.  So that it is seen what of the wait is theirs, the same is read while the
# same nginx proxies requests of the same body to the same gateway, for a second wrk with as many connections as messages are under way; and while that
# wrk sends about as many as the campaign to the gateway itself, so that nginx has nothing to do but the reads.
# needs: wrk=wrk

use v5.10.1;
use strict;
use warnings;

use POSIX ();

use Bench;

my $rounds = of_quick(1, 5);
my $seconds = of_quick(1, 3);
my $n = 100_000;

my $gateway = Bench::Gateway->new('loaded');
my $server = Bench::Server->new('loaded', gateway => $gateway);
my $client = $server->account;
my $audience = $server->audience($client, $n);
my $read = '/v1/campaigns/' . $server->campaign($client, audience => $audience, schedule => '2100-01-01 00:00:00');
my (@sent, @passed, @past);

sub reads {
    Bench::Load::wrk($server->url($read), connections => 16, seconds => $seconds, headers => { 'X-Dexatel-Key' => $client->{key} })->{p99} / 1e3;
}

sub loaded {
    my @ids = map { $server->campaign($client, audience => $audience) } 1 .. 1 + $seconds;
    my $count = $gateway->count;
    my $p99 = reads();
    push @sent, ($gateway->count - $count) / $seconds;
    for my $id (@ids) {
        my ($status) = $client->talk($client->request(PATCH => "/v1/campaigns/$id", 'application/json', '{"data":{"status":"canceled"}}'));
        die "cancel: $status\n" if $status !~ /\A(?:2|409)/;
    }
    return $p99;
}

# reads while another wrk posts to $url; each of its connections waits $delay ms between two requests.  Requests that the gateway got meanwhile go to @$passed
sub beside {
    my ($url, $delay, $passed) = @_;
    my $pid = fork // die "fork: $!\n";

    if ($pid == 0) {
        my $body = '{"data":{"from":"Acme","to":["33199000000"],"text":"Hello Chloe, our sale starts today.","channel":"SMS",'
            . '"id":"018f3b5e-7a3c-8c1e-9d3a-0123456789ab"}}';
        Bench::Load::wrk($url, connections => 256, seconds => $seconds + 2, headers => { 'Content-Type' => 'application/json' },
                         script => "wrk.method = 'POST'\nwrk.body = [[$body]]\n" . ($delay ? "function delay() return $delay end\n" : ''));
        POSIX::_exit(0);
    }

    my $count = $gateway->count;
    wait_for(10, 'a request beside the reads', sub { $gateway->count >= $count + 1000 });
    $count = $gateway->count;
    my $p99 = reads();
    push @$passed, ($gateway->count - $count) / $seconds;
    waitpid $pid, 0;
    return $p99;
}

sub proxied { beside($server->url('/proxied'), 0, \@passed) }
sub passed { beside('http://127.0.0.1:' . $gateway->port . '/v1/messages', 5, \@past) }

my %got = rounds($rounds, idle => \&reads, loaded => \&loaded, proxied => \&proxied, past => \&passed);

row('p99 of reads', sprintf '%.2f ms', median(@{ $got{idle} }));
row('p99 while a campaign is sent ÷ that', sprintf('%.2f ms', median(@{ $got{loaded} })), ratio => ratio($got{loaded}, $got{idle}), most => 3);
row('messages sent meanwhile', sprintf '%d/s', median(@sent));
row('p99 while as many are proxied ÷ without', sprintf('%.2f ms', median(@{ $got{proxied} })), ratio => ratio($got{proxied}, $got{idle}));
row('requests proxied meanwhile', sprintf '%d/s', median(@passed));
row('p99 while wrk sends to the gateway ÷ without', sprintf('%.2f ms', median(@{ $got{past} })), ratio => ratio($got{past}, $got{idle}));
row('requests that wrk sends meanwhile', sprintf '%d/s', median(@past));

$_->stop for $server, $gateway;
