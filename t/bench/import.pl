# import: 100 000 contacts as CSV come in fast, and other requests do not wait for them.
#
# A second client asks for a small object all the time; the longest that it waited while imports ran is compared with the longest that it waits
# without them, for on a busy machine that is not nothing.

use v5.10.1;
use strict;
use warnings;

use Bench;
use Time::HiRes qw(time);

my $rounds = of_quick(3, 9);
my $n = 100_000;

my $server = Bench::Server->new('import');
my $client = $server->account;
my $csv = contacts($n);
my $sender = $client->ask(GET => '/v1/senders')->[0]{id};
my (@took, @delay, @idle);

# runs the code while a process of its own asks, each ms: the longest wait, ms
sub watched {
    my $code = shift;
    my $other = $server->client($client->{key});
    $other->get("/v1/senders/$sender");
    pipe my $in, my $out or die "pipe: $!\n";

    my $pid = fork // die "fork: $!\n";
    if ($pid == 0) {
        my ($longest, $stop) = (0, 0);
        local $SIG{TERM} = sub { $stop = 1 };
        until ($stop) {
            my $from = time;
            $other->get("/v1/senders/$sender");
            my $took = time - $from;
            $longest = $took if $took > $longest;
            Time::HiRes::sleep(0.0005);
        }
        syswrite $out, $longest * 1e3;
        POSIX::_exit(0);
    }

    close $out;
    Time::HiRes::sleep(0.02);
    $code->();
    kill TERM => $pid;
    sysread $in, my $longest, 64;
    waitpid $pid, 0;
    return $longest;
}

for my $round (1 .. $rounds) {
    my $id = $client->ask(POST => '/v1/audiences', { name => "import $round", channel => 'SMS' })->{id};
    my $request = $client->request(POST => "/v1/audiences/$id/contacts", 'text/csv', $csv);
    push @delay, watched(sub {
        my $from = time;
        my ($status, $got) = $client->talk($request);
        push @took, time - $from;
        die "import: $status $got\n" if $status !~ /\A2/ || $got !~ /"created":\s*$n\b/;
    });
    push @idle, watched(sub { Time::HiRes::sleep($took[-1]) });
    progress("round $round of $rounds");
}

my $rate = $n / median(@took);
row("CSV of $n contacts", sprintf('%d/s', $rate), value => int $rate, least => 300_000, unit => '/s');
row('longest wait of others, without an import', sprintf '%.1f ms', median(@idle));
row('longest wait of others, with one', sprintf('%.1f ms', median(@delay)), value => sprintf('%.2f', median(@delay)), most => 10, unit => 'ms');

$server->stop;
