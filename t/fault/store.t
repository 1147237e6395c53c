# A store that is full, and one that does not open: the client is told so, and nothing but that goes wrong.

use v5.10.1;
use strict;
use warnings;

use lib 't/lib';
use Campaign;
use Campaign::Hold;
use Campaign::Sending;
use Campaign::Server;
use File::Path qw(remove_tree);
use POSIX ();
use Test::More;
use Time::HiRes qw(time);

gateway(sub { { until => 'go' } });

my $sms = 'campaign_gateway SMS /gateway; location = /gateway { internal; return 204; }';

{
    my $server = Campaign::Server->new(workers => 1, size => '1m', server => $sms);
    my $account = account();
    my ($r, @made);

    for my $n (1 .. 2000) {
        $r = $account->post('/templates', { name => "template $n", channel => 'SMS', text => 'x' x 1000 });
        last if $r->status != 201;
        push @made, $r->data;
    }

    refused($r, 507, 1014, 'a template more than there is room for');
    is($r->header('retry-after'), '1', 'Retry-After');
    is($account->get('/templates')->page->{total}, scalar @made, 'all that was answered 201 is there, and no more');
    is_deeply($account->get("/templates/$made[-1]{id}")->data, $made[-1], 'the last one too');
    ok($server->quit && ($server->start, 1), 'the server is started again');
    is($account->get('/templates')->page->{total}, scalar @made, 'and still has them');
    like($server->log_text, qr/\[crit\][^\n]*is full[^\n]*raise "size="/, 'the log tells the mend');
    is($server->alerts('is full'), '', 'and nothing else');
    $server->quit;
}

{
    my $data = store_dir() . '/data.mdb';
    rename $data, "$data.kept" or die "$data: $!";
    open my $out, '>', $data or die "$data: $!";
    print $out 'x' x 65536;
    close $out or die "$data: $!";

    my $server = Campaign::Server->new(workers => 1);
    my $r = nobody('key')->get('/templates');
    refused($r, 503, 1011, 'a store that is damaged');
    is($r->header('retry-after'), '1', 'Retry-After');
    is($server->workers, 1, 'the worker lives on');

    rename "$data.kept", $data or die "$data: $!";
    ok(wait_for(sub { nobody('key')->get('/templates')->status == 401 }), 'the store is opened once it is mended');
    refused(nobody('key')->get('/templates'), 401, 1002, 'and asked');
    $server->quit;
}

{
    remove_tree(store_dir(), { keep_root => 1 });

    my $server = Campaign::Server->new(workers => 2, size => '3m', server => channel('HELD', 'concurrency=20'));
    my $account = account(rate => 10000, burst => 1000);
    my $r;

    my @running = map { start($account, 'HELD', to => [numbers(200)]) } 1, 2;
    ok(wait_for(sub { requests('HELD') >= 20 }), 'campaigns are under way');

    my @made;
    for my $n (1 .. 8000) {
        $r = $account->post('/templates', { name => "template $n", channel => 'HELD', text => 'x' x 1000 });
        last if $r->status != 201;
        push @made, $r->data->{id};
    }
    refused($r, 507, 1014, 'a template is refused while there is room for other things');

    answered($account->put("/campaigns/$running[1]{id}", { status => 'canceled' }), 200, 'a campaign is canceled');
    gateway()->tell('go');
    is(counts(settled($account, $running[0], 20)), 'completed: 200 sent of 200', 'the other one goes on to its end');
    refused($account->post('/templates', { name => 'one more', channel => 'HELD', text => 'x' x 1000 }), 507, 1014, 'what is new is refused');
    is($account->delete("/templates/$_")->status, 204, 'a template is deleted') for @made[0 .. 59];
    is($account->delete("/campaigns/$running[1]{id}")->status, 204, 'and a campaign');
    ok(wait_for(sub { $account->post('/templates', { channel => 'HELD', text => 'x' x 1000 })->status == 201 }), 'so there is room again');
    is($server->alerts('is full'), '', 'nothing else in the log');

    my $data = store_dir() . '/data.mdb';
    rename $data, "$data.kept" or die "$data: $!";
    system('cp', "$data.kept", $data) == 0 or die;
    refused($account->post('/templates', { channel => 'HELD', text => 'x' }), 503, 1011, 'data.mdb was replaced: nothing is written to a file that nobody will read');
    ok(wait_for(sub { $server->log_text =~ /data\.mdb" was replaced or removed/ }), 'the log says so');
    is($account->get('/templates')->status, 200, 'what was there is read');
    rename "$data.kept", $data or die "$data: $!";
    ok(wait_for(sub { $account->post('/templates', { channel => 'HELD', text => 'x' })->status == 201 }), 'it is back');

    # the median of some reads, seconds
    my $reads = sub {
        my @took = map { my $at = time; $account->get('/templates')->status == 200 or fail('a read'); time - $at } 1 .. 21;
        return (sort { $a <=> $b } @took)[10];
    };
    my $before = $reads->();
    my $hold = Campaign::Hold->new;
    ok($hold->hold(8000), 'a process stops while it writes');
    my $at = time;
    refused($account->post('/templates', { channel => 'HELD', text => 'x' }), 503, 1011, 'a write is refused');
    my $took = time - $at;
    cmp_ok($took, '<=', 6 + 1, 'within five seconds, of which the first may have begun, and one more');
    my $meanwhile = $reads->();
    cmp_ok($meanwhile, '<=', 5 * $before, 'reads go on, as quick as they were');
    note sprintf 'refused after %.2f s; a read takes %.2f ms, and took %.2f before', $took, 1000 * $meanwhile, 1000 * $before;
    my $pid = $hold->pid;
    ok(wait_for(sub { $server->log_text =~ /process $pid holds the lock/ }), 'the log names the one that is in the way');
    ok($hold->done, 'it goes on');
    ok(wait_for(sub { $account->post('/templates', { channel => 'HELD', text => 'x' })->status == 201 }), 'and so do writes');

  SKIP: {
        skip 'no PID namespace of its own here', 2 if system('unshare -pf true 2>/dev/null') != 0;
        my $conf = $server->{conf} =~ s/nginx\.conf\z/other.conf/r;
        open my $in, '<', $server->{conf} or die $!;
        my $text = do { local $/; <$in> };
        $text =~ s/^\s*listen .*;\n//mg;
        $text =~ s{logs/(error\.log|nginx\.pid)}{logs/other-$1}g;
        $text =~ s/server \{/server { listen unix:@{[ store_dir() =~ s{-store\z}{.sock}r ]};/;
        open my $out, '>', $conf or die $!;
        print $out $text, "daemon off;\n";
        close $out or die $!;

        defined(my $other = fork) or die $!;
        if ($other == 0) {
            exec 'unshare', '-pf', '--kill-child', $ENV{TEST_NGINX_BINARY}, '-p', $ENV{TEST_NGINX_SERVROOT} . '/', '-c', $conf or POSIX::_exit(1);
        }
        my $log = sub { open my $l, '<', "$ENV{TEST_NGINX_SERVROOT}/logs/other-error.log" or return ''; local $/; <$l> };
        ok(wait_for(sub { $log->() =~ /is not opened: processes of another PID namespace/ }), 'another PID namespace is refused, and why');
        answered($account->get('/templates'), 200, 'this one works on');
        kill KILL => $other;
        waitpid $other, 0;
    }

    $server->quit;
}

done_testing();
