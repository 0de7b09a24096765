<#
.SYNOPSIS
Installs the RPort agent on this Windows host and enrols it at a server.

.DESCRIPTION
Fetches the agent's executable from the server, checks its size and its SHA-256, and lets it install
itself as a service, enrol with the pairing token, and wait until it is connected. The script is the
same for everybody at one version: nothing secret is in it, and nothing from outside.

The same command again changes nothing and spends no token. With a newer release it replaces the
program and keeps the enrolment. After every exit status but 0 the host is as it was before.

Without -Prefix it needs an elevated PowerShell. It works in Windows PowerShell 5.1 and in
PowerShell 7.

.PARAMETER Server
Where the agent is fetched and enrolled: http(s)://host[:port][/path].

.PARAMETER Pairing
Where the token is claimed, when that is not the server: http(s)://host[:port][/path].

.PARAMETER Token
The pairing token. Who pastes it leaves it in the memory of that PowerShell, and Windows PowerShell
5.1 writes the line to its history file as well; a token works once, and for minutes. Without -Token,
-TokenFile and -TokenStdin it is asked for, and then it is in no history.

.PARAMETER TokenFile
A file with the pairing token in it.

.PARAMETER TokenStdin
Read the pairing token from the first line of standard input.

.PARAMETER Name
The name of the host; its host name unless given.

.PARAMETER Tag
Tags of the host. RPort's letter for it, -g, works too.

.PARAMETER NewId
Register as a new host: for copies of a disk image.

.PARAMETER Force
Enrol anew, also when enrolled at another server; the host keeps its id.

.PARAMETER AllowDowngrade
Also install a release that is older than the agent that is installed: after the server was put back.

.PARAMETER Prefix
Keep everything below this directory. Needs no administrator, and implies -NoService. An elevated
PowerShell takes only a directory that nobody but administrators owns or may change.

.PARAMETER NoService
Start the agent without a service: for trying.

.PARAMETER NoStart
Install, and start nothing now.

.PARAMETER Package
Take the agent from this file, or from this address, and not from the server: for hosts that cannot
fetch it. Needs -Sha256. RPort's name for it, -pkgUrl, works too.

.PARAMETER Sha256
The SHA-256 that the package must have: 64 hexadecimal digits.

.PARAMETER Yes
Ask nothing: without a token the script fails and does not ask for it.

.PARAMETER Status
Tell how the agent is. Exit status 0: connected, 8: not connected, 1: not installed.

.PARAMETER Uninstall
Remove the agent: service, program, configuration and state.

.PARAMETER KeepConfig
With -Uninstall: keep rport.conf and the key of this host.

.PARAMETER Purge
With -Uninstall: remove everything, which is what it does anyway.

.PARAMETER Version
Print the version of the agent that this script installs.

.PARAMETER User
The account that runs the agent on other systems. Refused: on Windows it has one of its service alone.

.PARAMETER x
RPort's letter for commands and scripts. Refused: this agent has tunnels only.

.PARAMETER t
RPort's letter for the unstable channel. Refused: the server decides which release it serves.

.PARAMETER i
RPort's letter for tacoscript. Refused: this agent does not bring it.

.PARAMETER r
RPort's letter for receiving files. Refused: this agent has tunnels only.

.PARAMETER d
RPort's letter for printing the configuration. Refused: the secret in it is for the agent alone.

.EXAMPLE
.\install.ps1 -Server 'https://rport.example.com'

Installs the agent as a service, and asks for the pairing token.

.EXAMPLE
.\install.ps1 -Server 'https://rport.example.com' -TokenFile C:\token.txt -Name 'web 01' -Tag prod, web

Installs without a question, with a name and two tags.

.EXAMPLE
.\install.ps1 -Server 'https://rport.example.com' -WhatIf

Says what would be done, and changes nothing.

.EXAMPLE
.\install.ps1 -Server 'https://rport.example.com' -Package D:\rport-agent.exe -Sha256 (Get-Content D:\sha256.txt)

Installs from a file, on a host that reaches the server and fetches nothing from it.

.EXAMPLE
.\install.ps1 -Server 'https://rport.example.com' -Prefix C:\Users\me\rport

Installs below a directory, without an administrator and without a service.

.EXAMPLE
.\install.ps1 -Uninstall -KeepConfig

Removes the agent, so that a later installation is the same host.

.NOTES
Exit status: 0 done, 1 failed, 2 usage, 3 not possible on this machine, 4 the token is unknown,
expired or used, 5 the server cannot be reached, 6 a download is not what it should be, 7 needs an
administrator, 8 the agent did not connect, 9 the server refused.
#>
[CmdletBinding(SupportsShouldProcess = $true, PositionalBinding = $false)]
param(
    [string] $Server = '',
    [string] $Pairing = '',
    [string] $Token = '',
    [string] $TokenFile = '',
    [switch] $TokenStdin,
    [string] $Name = '',
    [Alias('g')] [string[]] $Tag = @(),
    [switch] $NewId,
    [switch] $Force,
    [switch] $AllowDowngrade,
    [string] $Prefix = '',
    [switch] $NoService,
    [switch] $NoStart,
    [Alias('pkgUrl')] [string] $Package = '',
    [string] $Sha256 = '',
    [switch] $Yes,
    [switch] $Status,
    [switch] $Uninstall,
    [switch] $KeepConfig,
    [switch] $Purge,
    [switch] $Version,
    [string] $User = '',
    [switch] $x,
    [switch] $t,
    [switch] $i,
    [switch] $r,
    [switch] $d
)
# Here, because the block that follows has parameters of its own.
$Bound = $PSBoundParameters
