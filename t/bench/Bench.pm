package Bench;

# What the cases of tools/bench share: servers with a store of their own, one client on a kept connection, CPU times from the kernel, rows of the
# table.  A case is a program t/bench/<case>.pl: it prints its progress to standard error and each figure as a row; what it compares it
# measures in turns, in one run, so that whatever else the machine does meets all of it alike.

use v5.10.1;
use strict;
use warnings;

use Carp qw(croak);
use Digest::SHA qw(sha256_hex);
use Exporter 'import';
use File::Path qw(make_path remove_tree);
use IO::Socket::INET;
use JSON::PP qw(decode_json);
use Socket qw(IPPROTO_TCP TCP_NODELAY);

our @EXPORT = qw(quick progress row median rounds table sha256_hex);

my $out = $ENV{CAMPAIGN_BENCH_DIR} // croak 'run by tools/bench';
my $nginx = $ENV{CAMPAIGN_BENCH_NGINX};

sub quick { $ENV{CAMPAIGN_BENCH_QUICK} }
sub progress { print STDERR "  @_\n" }

# a line of the table: what, figure (as text), or also its ratio to what it is compared with, or also the bar (the most that this may be)
sub row {
    my ($what, $figure, $ratio, $bar) = @_;
    my %row = (what => $what, figure => $figure);
    $row{ratio} = $ratio + 0 if defined $ratio;
    @row{qw(bar verdict)} = ($bar, $ratio <= $bar ? 'met' : 'MISSED') if defined $bar;
    print JSON::PP->new->canonical->encode(\%row), "\n";
}

sub median {
    my @sorted = sort { $a <=> $b } @_;
    return @sorted % 2 ? $sorted[$#sorted / 2] : ($sorted[@sorted / 2 - 1] + $sorted[@sorted / 2]) / 2;
}

# $n rounds, each of all measurements (name => code that returns a number), forwards and backwards by turns: name => [numbers]
sub rounds {
    my ($n, %measure) = @_;
    my @names = sort keys %measure;
    my %got;
    for my $round (1 .. $n) {
        push @{ $got{$_} }, $measure{$_}->() for $round % 2 ? @names : reverse @names;
    }
    return %got;
}

# prints the rows of a file, writes them and the machine to another; 1: a bar is missed
sub table {
    my ($from, $to) = @_;
    my @rows = map { decode_json($_) } lines($from);
    my ($width) = sort { $b <=> $a } map { length $_->{what} } @rows;
    my $line = "%-8s  %-${width}s  %12s  %6s  %7s  %s";

    binmode STDOUT, ':utf8';
    for (['case', 'what', 'figure', 'ratio', 'bar', 'verdict'], map { cells($_) } @rows) {
        print sprintf($line, @$_) =~ s/\s+\z//r, "\n";
    }

    my @cpu = map { /^model name\s*:\s*(.*)/ ? $1 : () } lines('/proc/cpuinfo');
    my %report = (rows => \@rows, quick => quick() ? JSON::PP::true : JSON::PP::false, time => time,
                  machine => { cpu => $cpu[0], cores => scalar @cpu });

    open my $out, '>', "$to.new" or croak "$to: $!";
    print $out JSON::PP->new->utf8->canonical->pretty->encode(\%report);
    close $out && rename "$to.new", $to or croak "$to: $!";

    return (grep { ($_->{verdict} // '') eq 'MISSED' } @rows) ? 1 : 0;
}

sub cells {
    my $row = shift;
    my $ratio = defined $row->{ratio} ? sprintf '%.2f', $row->{ratio} : '';
    return [@$row{qw(case what figure)}, $ratio, defined $row->{bar} ? "<= $row->{bar}" : '', $row->{verdict} // ''];
}

sub lines {
    open my $in, '<', $_[0] or croak "$_[0]: $!";
    return <$in>;
}


package Bench::Server;

use Time::HiRes qw(sleep time);

my %running;

sub free_port { IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 0, Listen => 1)->sockport }

# an nginx of one worker below build/bench/<name>; fill => code that gets the store's empty directory before the start
sub new {
    my ($class, $name, %options) = @_;
    my $root = "$out/$name";
    my $self = bless { root => $root, port => free_port() }, $class;

    File::Path::remove_tree($root);
    File::Path::make_path("$root/logs");
    File::Path::make_path("$root/store", { mode => 0700 });
    $options{fill}->("$root/store");

    my $user = $> == 0 ? 'user root;' : '';
    open my $conf, '>', "$root/nginx.conf" or Carp::croak "$root/nginx.conf: $!";
    print $conf <<"END";
$user
worker_processes 1;
error_log logs/error.log;
pid logs/nginx.pid;
events { worker_connections 1024; }
http {
    access_log off;
    keepalive_requests 1000000000;
    keepalive_timeout 1h;
    @{[ map { "${_}_temp_path $root/${_}_temp;" } qw(client_body proxy fastcgi uwsgi scgi) ]}
    campaign_store $root/store size=4g;
    campaign_dispatch off;
    server {
        listen 127.0.0.1:$self->{port};
        location /v1/ { campaign_api; }
        location /_gateway { internal; return 204; }
        campaign_gateway SMS /_gateway;
        campaign_gateway VIBER /_gateway;
    }
}
END
    close $conf or Carp::croak "$root/nginx.conf: $!";

    system($nginx, '-p', "$root/", '-c', "$root/nginx.conf", '-e', "$root/logs/error.log") == 0 or Carp::croak "nginx does not start";
    $self->{master} = $self->read_pid;
    $running{ $self->{master} } = $self;
    return $self;
}

sub read_pid {
    my $self = shift;
    for (1 .. 500) {
        if (open my $in, '<', "$self->{root}/logs/nginx.pid") {
            my ($pid) = (<$in> // '') =~ /(\d+)/;
            return $pid if $pid;
        }
        sleep 0.01;
    }
    Carp::croak "nginx wrote no pid (see $self->{root}/logs/error.log)";
}

sub worker {
    my $self = shift;
    return $self->{worker} //= do {
        open my $in, '<', "/proc/$self->{master}/task/$self->{master}/children" or Carp::croak "no children of nginx: $!";
        (split ' ', <$in> // '')[0] // Carp::croak 'nginx has no worker';
    };
}

# ns that all threads of the worker were on a CPU
sub cpu {
    my $self = shift;
    my $ns = 0;
    for my $file (glob '/proc/' . $self->worker . '/task/*/schedstat') {
        open my $in, '<', $file or Carp::croak "$file: $!";
        $ns += (split ' ', <$in>)[0];
    }
    return $ns;
}

sub client { Bench::Client->new($_[0]{port}, $_[1]) }

sub stop {
    my $self = shift;
    kill TERM => $self->{master};
    for (1 .. 1000) { last if !kill(0, $self->{master}) || zombie($self->{master}); sleep 0.01 }
    delete $running{ $self->{master} };
    File::Path::remove_tree($self->{root});
}

sub zombie {
    open my $in, '<', "/proc/$_[0]/stat" or return 1;
    return (<$in> // '') =~ /\) Z /;
}

$SIG{$_} = sub { exit 130 } for qw(INT TERM);
END { my $status = $?; $_->stop for values %running; $? = $status }


package Bench::Client;

# one connection, kept: a request, its answer, the next one

sub new {
    my ($class, $port, $key) = @_;
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port, Timeout => 5) or Carp::croak "connect: $!";
    setsockopt $socket, Socket::IPPROTO_TCP, Socket::TCP_NODELAY, 1;
    return bless { socket => $socket, tail => " HTTP/1.1\r\nHost: localhost\r\nX-Dexatel-Key: $key\r\n\r\n" }, $class;
}

# the body of a 200; any other answer ends the case
sub get {
    my ($self, $path) = @_;
    my ($in, $socket) = ('', $self->{socket});

    syswrite $socket, "GET $path$self->{tail}" or Carp::croak "write: $!";

    while (1) {
        sysread $socket, $in, 65536, length $in or Carp::croak "GET $path: the connection was closed: $in";
        my $head = index $in, "\r\n\r\n";
        next if $head < 0;
        Carp::croak "GET $path: $in" if $in !~ /\AHTTP\/1\.1 200 /;
        my ($length) = $in =~ /\r\nContent-Length: (\d+)\r\n/i or Carp::croak "GET $path: an answer without a length";
        return substr $in, $head + 4 if length $in >= $head + 4 + $length;
    }
}

1;
