# Whose an installation is that an elevated PowerShell is told to use, under Pester. What only Windows has
# is stood in for: that this PowerShell is elevated, the kind of a drive, and the access to files.
BeforeAll {
    $parts = Join-Path $PSScriptRoot '../../../installers/windows'
    foreach ($part in @('functions.ps1', 'owners.ps1', 'installation.ps1')) { . (Join-Path $parts $part) }
    $RportVersion = '1.2.3'
    $RportManifest = "windows-x64 5 $('a' * 64) agent-x64.exe"
    $System = 'S-1-5-18'
    $Administrators = 'S-1-5-32-544'
    $Installer = 'S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464'
    $Eve = 'S-1-5-21-1-2-3-1001'
    $Everybody = 'S-1-5-11'
    $Modify = 0x1301bf
    $Full = 0x1f01ff

    # A name of an account, as Windows makes one of a number.
    function New-Sid([string] $Value) {
        $names = @{ $Eve = 'PC\eve'; $Everybody = 'Authenticated Users' }
        $sid = New-Object PSObject -Property @{ Value = $Value; Name = $names[$Value] }
        $sid | Add-Member ScriptMethod Translate {
            if (-not $this.Name) { throw 'it has no name' }
            New-Object PSObject -Property @{ Value = $this.Name }
        }
        return $sid
    }

    # One rule: whose, what, whether it allows, and whether it is only for what is below.
    function New-Rule([string] $Sid, [int] $Rights, [string] $Type = 'Allow', [int] $Propagation = 0) {
        return New-Object PSObject -Property @{
            IdentityReference = New-Sid $Sid; FileSystemRights = $Rights
            AccessControlType = $Type; PropagationFlags = $Propagation
        }
    }

    # The access to something, as Get-Acl answers it.
    function New-Access([string] $Owner, [object[]] $Rules = @(), [string] $Sddl = 'O:BAD:(A;;FA;;;BA)') {
        $all = @((New-Rule $System $Full), (New-Rule $Administrators $Full), (New-Rule $Installer $Full)) +
            @((New-Rule 'S-1-5-32-545' 0x1200a9), (New-Rule 'S-1-3-0' $Full 'Allow' 2)) + $Rules
        $access = New-Object PSObject -Property @{ OwnerSid = New-Sid $Owner; All = $all; Sddl = $Sddl }
        $access | Add-Member ScriptMethod GetOwner { param($type) $this.OwnerSid }
        $access | Add-Member ScriptMethod GetAccessRules { param($explicit, $inherited, $type) $this.All }
        return $access
    }

    function Get-Acl([string] $LiteralPath) {
        if ($script:Access.ContainsKey($LiteralPath)) { return $script:Access[$LiteralPath] }
        return New-Access $Administrators
    }

    # How Invoke-Installer ends; what it runs stands in the words that it is run with.
    function Get-End([hashtable] $Given) {
        $script:Ran = @()
        try { return '' + (Invoke-Installer $Given $false) } catch {
            return '{0}: {1}' -f (Get-ExitStatus $_.Exception), $_.Exception.Message
        }
    }
}

Describe 'an elevated PowerShell' {
    BeforeEach {
        Mock Test-Elevated { $true }
        Mock Test-OwnDrive { $true }
        Mock Invoke-Quietly {}
        Mock Invoke-Program { $script:Ran += ($Arguments -join ' '); 0 }
        Mock Save-Download { Set-Content -NoNewline -Path $File -Value 'agent' }
        Mock Assert-RightFile {}
        Mock Assert-Runs {}
        Mock Write-Line {}
        Mock Get-Processor { 'AMD64' }
        $script:Access = @{}
        $home1 = Join-Path $TestDrive ([guid]::NewGuid().ToString('N'))
        $prefix = Join-Path $home1 "it's a prefix"
        $program = Join-Path $prefix 'bin/rport-agent'
        [void] (New-Item -ItemType Directory -Path (Join-Path $prefix 'bin'), (Join-Path $prefix 'state'))
        foreach ($name in @('bin/rport-agent', 'install.json', 'rport.conf')) {
            Set-Content -Path (Join-Path $prefix $name) -Value 'x'
        }
    }

    It 'runs the agent of a prefix that is administrators'' alone, from a folder of theirs' {
        foreach ($owner in @($System, $Installer)) { $script:Access[$prefix] = New-Access $owner }
        Get-End @{ Status = $true; Prefix = $prefix } | Should -Be '0'
        Get-End @{ Uninstall = $true; Prefix = $prefix } | Should -Be '0'
        $script:Ran | Should -Be "uninstall --prefix=$prefix"
        Should -Invoke Invoke-Quietly -Times 2 -Exactly -ParameterFilter { $File -eq 'icacls.exe' }
    }

    It 'runs, removes and replaces nothing of somebody else: <_>' -ForEach @(
        'bin/rport-agent', 'bin', '.', 'install.json', 'rport.conf', 'state', '..'
    ) {
        $at = (Get-Item -LiteralPath (Join-Path $prefix $_)).FullName.TrimEnd('/')
        $script:Access[$at] = New-Access $Eve
        foreach ($given in @(@{ Status = $true }, @{ Uninstall = $true }, @{ Server = 'https://h'; Token = 'ABC' })) {
            $given['Prefix'] = $prefix
            Get-End $given | Should -BeLike "2: $at belongs to PC\eve. An elevated PowerShell runs nothing there.*"
            $script:Ran | Should -BeNullOrEmpty
        }
    }

    It 'asks the installed agent about a new one only where that is administrators'' alone' {
        $script:Ran = @()
        $new = Join-Path $home1 'new'
        Set-Content -Path $new -Value 'y'
        foreach ($at in @($program, (Join-Path $prefix 'bin'), $home1)) {
            $script:Access = @{ $at = New-Access $Eve }
            Assert-Signed @{ Server = 'https://h' } $program $new @{}
            Should -Invoke Write-Line -ParameterFilter { $Text -like "$at belongs to PC\eve. *is not asked*" }
        }
        $script:Ran | Should -BeNullOrEmpty
        $script:Access = @{}
        Assert-Signed @{ Server = 'https://h' } $program $new @{}
        $script:Ran | Should -Be "verify --server=https://h --file=$new"
    }

    It 'says what to run in its place' {
        $script:Access[$program] = New-Access $Eve
        $quoted = $prefix.Replace("'", "''")
        Get-End @{ Uninstall = $true; KeepConfig = $true; Prefix = $prefix } |
            Should -BeLike "*not elevated, as the one whose it is, try: .\install.ps1 -Uninstall -KeepConfig -Prefix '$quoted'"
        Get-End @{ Server = 'https://h'; Token = 'ABC'; Prefix = $prefix } |
            Should -BeLike "*try: .\install.ps1 -Server 'https://h' -Prefix '$quoted' Or leave out -Prefix."
    }

    It 'trusts nothing that others may <Name>' -ForEach @(
        @{ Name = 'modify'; Rights = 0x1301bf }, @{ Name = 'write'; Rights = 0x2 }, @{ Name = 'append to'; Rights = 0x4 }
        @{ Name = 'make a link of'; Rights = 0x100 }, @{ Name = 'empty'; Rights = 0x40 }
        @{ Name = 'delete'; Rights = 0x10000 }, @{ Name = 'set the access of'; Rights = 0x40000 }
        @{ Name = 'own'; Rights = 0x80000 }, @{ Name = 'write by a generic right'; Rights = 0x40000000 }
        @{ Name = 'do everything with'; Rights = 0x10000000 }
    ) {
        foreach ($at in @($program, (Join-Path $prefix 'bin'), $prefix)) {
            $script:Access = @{ $at = New-Access $System @(New-Rule $Everybody $Rights) }
            Get-End @{ Status = $true; Prefix = $prefix } | Should -BeLike "2: Authenticated Users may change $at.*"
        }
        $script:Ran | Should -BeNullOrEmpty
    }

    It 'trusts no folder above where others may exchange what is in it (<_>)' -ForEach @(
        0x40, 0x10000, 0x40000, 0x80000, 0x10000000
    ) {
        $script:Access[$home1] = New-Access $System @(New-Rule $Everybody $_)
        Get-End @{ Status = $true; Prefix = $prefix } | Should -BeLike "2: Authenticated Users may change $home1.*"
    }

    It 'does not mind what others may add above, read, be denied, or get only below' {
        $script:Access[$home1] = New-Access $System @(New-Rule $Everybody 0x6)
        $script:Access['/'] = New-Access $Installer @((New-Rule $Everybody $Modify), (New-Rule $Everybody $Full 'Allow' 2))
        $script:Access[$prefix] = New-Access $System @((New-Rule $Everybody 0x1200a9), (New-Rule $Everybody $Full 'Deny'))
        $script:Access[$program] = New-Access $System @(New-Rule 'S-1-3-4' $Full)
        Get-End @{ Status = $true; Prefix = $prefix } | Should -Be '0'
    }

    It 'names an account that has no name by its number' {
        $script:Access[$prefix] = New-Access 'S-1-5-21-9-9-9-9'
        Get-End @{ Status = $true; Prefix = $prefix } | Should -BeLike "2: $prefix belongs to S-1-5-21-9-9-9-9.*"
    }

    It 'trusts no rules that depend on conditions, and nothing whose access cannot be read' {
        $script:Access[$prefix] = New-Access $System @() 'O:SYD:(XA;;FA;;;WD;(Title=="x"))'
        Get-End @{ Status = $true; Prefix = $prefix } | Should -BeLike "2: $prefix has rules that depend*"
        Mock Get-Acl { throw 'Access is denied.' }
        Get-End @{ Status = $true; Prefix = $prefix } | Should -Be '1: Access is denied.'
        $script:Ran | Should -BeNullOrEmpty
    }

    It 'follows no link' {
        $link = Join-Path $home1 'link'
        [void] (New-Item -ItemType SymbolicLink -Path $link -Target $prefix)
        Get-End @{ Uninstall = $true; Prefix = $link } | Should -BeLike "2: $link is a link.*"
        Remove-Item -LiteralPath $program
        [void] (New-Item -ItemType SymbolicLink -Path $program -Target '/bin/true')
        Get-End @{ Uninstall = $true; Prefix = $prefix } | Should -BeLike "2: $program is a link.*"
        $script:Ran | Should -BeNullOrEmpty
    }

    It 'trusts no drive of another machine' {
        Mock Test-OwnDrive { $false }
        Get-End @{ Uninstall = $true; Prefix = $prefix } | Should -BeLike "2: $prefix is on no drive of this machine.*"
    }

    It 'installs into a new prefix only where nobody else gets rights to it' {
        $new = Join-Path $home1 'new'
        $given = @{ Server = 'https://h'; Token = 'ABC'; Prefix = $new }
        $script:Access['/'] = New-Access $System @((New-Rule $Everybody $Modify 'Allow' 2), (New-Rule $Everybody 0x4))
        Get-End $given | Should -Be '0'
        $script:Ran | Should -Be "install --server=https://h --token-stdin --prefix=$new"
        foreach ($rule in @((New-Rule $Everybody $Modify 'Allow' 2), (New-Rule $Everybody 0x4))) {
            $script:Access[$home1] = New-Access $System @($rule)
            Get-End $given | Should -BeLike "2: Authenticated Users may change $home1.*"
            $script:Ran | Should -BeNullOrEmpty
        }
    }

    It 'asks nothing of this where no prefix is named, and nowhere when it is not elevated' {
        Mock Get-Acl { throw 'asked' }
        Mock Assert-Administrator {}
        $env:ProgramFiles = $home1
        $env:ProgramData = $home1
        Get-End @{ Status = $true } | Should -Be '1'
        Mock Test-Elevated { $false }
        Get-End @{ Status = $true; Prefix = $prefix } | Should -Be '0'
    }
}

Describe 'the way to a prefix' {
    It 'begins at a drive: <Path>' -ForEach @(
        @{ Path = '\\server\share\x' }, @{ Path = '\\?\C:\x' }, @{ Path = 'x' }
    ) {
        Test-OwnDrive $Path | Should -BeFalse
    }

    It 'is every folder, and nothing above the last' {
        Get-Folder '/a/b' | Should -Be '/a'
        Get-Folder '/' | Should -Be ''
    }
}
