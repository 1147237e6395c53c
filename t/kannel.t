# Kannel itself, as Debian has it: conf/examples/kannel.conf, smsbox, bearerbox and its fakesmsc.  A message goes all the way to the SMSC, its
# receipt comes back by dlr-url, and a STOP from a phone is on the list.

use v5.10.1;
use strict;
use warnings;

use lib 't/lib';
use Campaign;
use Campaign::Nginx;
use Cwd ();
use File::Path qw(make_path remove_tree);
use IO::Socket::INET;
use Test::More;

my $unpacked = Cwd::realpath('build/kannel') // '';
my ($bearerbox, $smsbox, $fakesmsc) = map { my $at = $_; (grep { -x } "/$at", "$unpacked/$at")[0] } 'usr/sbin/bearerbox', 'usr/sbin/smsbox', 'usr/lib/kannel/test/fakesmsc';
plan(skip_all => 'Kannel is not here: tools/test unpacks it') if !$bearerbox || !$smsbox || !$fakesmsc;

my $port = $ENV{TEST_NGINX_SERVER_PORT};
my ($boxes, $admin, $smsc, $sendsms) = map { $port + $_ } 1 .. 4;
my $dir = "$ENV{TEST_NGINX_SERVROOT}-kannel-boxes";
remove_tree($dir);
make_path($dir);

open my $out, '>', "$dir/kannel.conf" or die "$dir/kannel.conf: $!";
print $out <<"END";
group = core
admin-port = $admin
admin-password = test
admin-allow-ip = 127.0.0.1
smsbox-port = $boxes
box-allow-ip = 127.0.0.1
log-file = $dir/bearerbox.log
log-level = 0

group = smsc
smsc = fake
smsc-id = fake
port = $smsc
connect-allow-ip = 127.0.0.1

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = $sendsms
log-file = $dir/smsbox.log
log-level = 0

group = sendsms-user
username = campaign
password = change-me

group = sms-service
keyword = default
catch-all = true
get-url = "http://127.0.0.1:$port/kannel/inbound?secret=change-me&from=%p&to=%P&text=%a"
max-messages = 0
END
close $out;

my (%pids, $parent);
$parent = $$;

# a program in the foreground; ended by its id
sub run {
    my ($name, @command) = @_;
    my $pid = fork // die "fork: $!";
    if ($pid == 0) {
        $ENV{LD_LIBRARY_PATH} = join ':', glob "$unpacked/{usr/,}lib/*-linux-gnu*";
        open STDIN, '<', '/dev/null';
        open STDOUT, '>', "$dir/$name.out";
        open STDERR, '>&', \*STDOUT;
        exec { $command[0] } @command or POSIX::_exit(127);
    }
    $pids{$pid} = $name;
}

sub said { open my $in, '<', "$dir/$_[0]" or return ''; local $/; return <$in> // '' }
sub opens { my $p = shift; wait_for { IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $p) } 20 or die "nobody listens at $p, see $dir\n" }

END {
    if ($$ == $parent) {
        local $?;
        kill TERM => $_ for keys %pids;
        for my $pid (keys %pids) {
            wait_for { waitpid($pid, POSIX::WNOHANG()) != 0 } 5 or kill KILL => $pid;
        }
    }
}

my $server = Campaign::Nginx->new('kannel', file => 'conf/examples/kannel.conf', port => $port,
    change => { '127.0.0.1:8080' => "127.0.0.1:$port", '127.0.0.1%3A8080' => "127.0.0.1%3A$port", '127.0.0.1:13013' => "127.0.0.1:$sendsms" })->start;
my $a = account();
$a->sender(name => '4915100000');

run('bearerbox', $bearerbox, '-v', 4, "$dir/kannel.conf");
opens($boxes);
run('smsbox', $smsbox, '-v', 4, "$dir/kannel.conf");
opens($sendsms);
opens($smsc);
run('fakesmsc', $fakesmsc, '-r', $smsc, '-i', 1, '-m', 1, '15551234567 4915100000 text Stop!');

wait_for { $a->get('/suppressions/15551234567')->status == 200 } 30;
is(($a->get('/suppressions/15551234567')->data // {})->{source}, 'stop', 'a STOP from a phone is on the list') or diag said('smsbox.log') =~ s/\A.*(?=.{2000}\z)//sr;

my $m = $a->make('/messages', { from => '4915100000', channel => 'SMS', to => ['15559876543'], text => 'Hello from a campaign' })->[0];
wait_for { $m = $a->get("/messages/$m->{id}")->data; $m->{status} eq 'delivered' } 30;
is($m->{status}, 'delivered', 'a message is delivered, by a receipt of bearerbox') or diag said('bearerbox.log') =~ s/\A.*(?=.{2000}\z)//sr;
my ($got) = said('fakesmsc.out') =~ /(.*Got message .*)/;
like($got // '', qr/4915100000 15559876543 text Hello from a campaign/, 'the SMSC got it');
diag("fakesmsc: $got") if $got;

$server->stop;
is($server->alerts, '', 'the error log is clean');
done_testing();
